import type { Logger } from "../logger.ts";

/**
 * What the processes of one messenger tell each other. A hint, never the only copy: what is published may be lost, and
 * what it was about is then found in the database. Nothing here waits, and nothing throws.
 */
export interface Bus {
  /** Tells every other process, in the order of the calls. What cannot be told now is dropped. */
  publish(topic: string, body: object): void;
  /** Hears what the others publish under a topic, never what this process does. The body is anything: check it. */
  subscribe(topic: string, listener: Listener): void;
  close(): Promise<void>;
}

export type Listener = (body: unknown) => void;

/** Who listens to what. A listener that fails is logged, and disturbs nobody. */
export class Subscriptions {
  private readonly byTopic = new Map<string, Listener[]>();

  constructor(private readonly log: Logger) {}

  add(topic: string, listener: Listener): void {
    this.byTopic.set(topic, [...(this.byTopic.get(topic) ?? []), listener]);
  }

  hear(topic: string, body: unknown): void {
    for (const listener of this.byTopic.get(topic) ?? []) {
      try {
        listener(body);
      } catch (error) {
        this.log.warn({ err: error, topic }, "something heard on the bus could not be used");
      }
    }
  }

  clear(): void {
    this.byTopic.clear();
  }
}

/** Whether something from the bus is a list of ids. */
export const isIds = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isSafeInteger);

/** Whether something from the bus has fields. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
