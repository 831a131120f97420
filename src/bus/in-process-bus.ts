import type { Logger } from "../logger.ts";
import { type Bus, type Listener, Subscriptions } from "./bus.ts";

/** Who is on a bus that does not leave this process. */
export type Members = Set<InProcessBus>;

/**
 * The bus of a messenger in one process: alone on it, it talks to nobody, and nothing is written as text. Those who are
 * given the same members hear each other.
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
    if (!this.members.has(this)) return;
    for (const member of this.members) if (member !== this) member.listeners.hear(topic, body);
  }

  subscribe(topic: string, listener: Listener): void {
    this.listeners.add(topic, listener);
  }

  async close(): Promise<void> {
    this.members.delete(this);
    this.listeners.clear();
  }
}
