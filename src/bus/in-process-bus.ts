import type { Logger } from "../logger.ts";
import { type Bus, type Listener, Subscriptions } from "./bus.ts";

/** Who is on a bus that does not leave this process. */
export type Members = Set<InProcessBus>;

/**
 * The bus of a messenger in one process: alone on it, it talks to nobody, and nothing is written as text. Buses that
 * are given the same members receive each other's messages, as JSON like on any other bus.
 */
export class InProcessBus implements Bus {
  private readonly listeners: Subscriptions;

  constructor(
    log: Logger,
    private readonly members: Members = new Set(),
  ) {
    this.listeners = new Subscriptions(log);
    members.add(this);
  }

  publish(topic: string, body: object): void {
    if (!this.members.has(this) || this.members.size === 1) return;
    const text = JSON.stringify(body);
    for (const member of this.members) if (member !== this) member.listeners.hear(topic, JSON.parse(text));
  }

  subscribe(topic: string, listener: Listener): void {
    this.listeners.add(topic, listener);
  }

  async close(): Promise<void> {
    this.members.delete(this);
    this.listeners.clear();
  }
}
