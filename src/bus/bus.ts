import type { Logger } from "../logger.ts";

/**
 * Messages between the processes of one messenger. Delivery is best-effort: a message is a hint, the database has the
 * data. No method waits or throws.
 */
export interface Bus {
  /** Sends a message to all other processes, in call order. It is dropped if it cannot be sent now. */
  publish(topic: string, body: object): void;
  /** Receives what other processes publish under a topic, never messages of this process. The body is unvalidated. */
  subscribe(topic: string, listener: Listener): void;
  close(): Promise<void>;
}

export type Listener = (body: unknown) => void;

/** The listeners of each topic. If one throws, the error is logged and the others still run. */
export class Subscriptions {
  private readonly byTopic = new Map<string, Listener[]>();

  constructor(private readonly log: Logger) {}

  add(topic: string, listener: Listener): void {
    this.byTopic.set(topic, [...(this.byTopic.get(topic) ?? []), listener]);
  }

  /** Calls the listeners of the topic. */
  dispatch(topic: string, body: unknown): void {
    for (const listener of this.byTopic.get(topic) ?? []) {
      try {
        listener(body);
      } catch (error) {
        this.log.warn({ err: error, topic }, "a bus listener failed");
      }
    }
  }

  clear(): void {
    this.byTopic.clear();
  }
}

/** Whether a value from the bus is an object. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
