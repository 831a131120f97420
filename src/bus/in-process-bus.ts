import type { Logger } from "../logger.ts";
import { type Bus, type Listener, Subscriptions } from "./bus.ts";

/** The buses that receive each other's messages. */
export type Members = Set<InProcessBus>;

/**
 * The bus of a messenger with one process: it has no other members and serialises nothing. Buses that share a set of
 * members receive each other's messages as JSON, like on any other bus.
 */
export class InProcessBus implements Bus {
  private readonly subscriptions: Subscriptions;

  constructor(
    log: Logger,
    private readonly members: Members = new Set(),
  ) {
    this.subscriptions = new Subscriptions(log);
    members.add(this);
  }

  publish(topic: string, body: object): void {
    if (!this.members.has(this) || this.members.size === 1) return;
    const text = JSON.stringify(body);
    for (const member of this.members) if (member !== this) member.subscriptions.dispatch(topic, JSON.parse(text));
  }

  subscribe(topic: string, listener: Listener): void {
    this.subscriptions.add(topic, listener);
  }

  async close(): Promise<void> {
    this.members.delete(this);
    this.subscriptions.clear();
  }
}
