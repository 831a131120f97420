import { Semaphore } from "../../concurrency/semaphore.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Person } from "../../domain/person.ts";
import type { Logger } from "../../logger.ts";

/** Shortest time between two announcements of the name of one user, in milliseconds. */
const intervalMs = 5000;

/**
 * Pushes changed names to the users' own devices and to users who share a chat with them, in the background. Searching
 * for these users is expensive and anyone can cause it, so it is done for one user at a time, and for each at most once
 * in an interval; the last name wins. Best-effort: the name is read with every message and list, so a lost push is
 * repaired by the next one.
 */
export class NameAnnouncements {
  /** The users whose name is being announced, or was within the interval; true if it has changed since. */
  private readonly recent = new Map<number, boolean>();
  private readonly searches = new Semaphore(1);
  private isStopped = false;

  constructor(
    private readonly options: {
      /** Finds a user; undefined if the account was deleted. */
      findPerson: (userId: number) => Promise<Person | undefined>;
      findContacts: (userId: number) => Promise<number[]>;
      delivery: Delivery;
      log: Logger;
    },
  ) {}

  /** Announces that the name of a user has changed. Never throws, and waits for nothing. */
  announce(userId: number): void {
    const isRecent = this.recent.has(userId);
    this.recent.set(userId, isRecent);
    if (!isRecent) void this.publish(userId);
  }

  /** Drops announcements that are not due yet. */
  stop(): void {
    this.isStopped = true;
  }

  private async publish(userId: number): Promise<void> {
    try {
      await this.searches.run(() => this.publishNow(userId));
    } catch (error) {
      this.options.log.warn({ err: error }, "a changed name is not pushed");
    }
    setTimeout(() => {
      const hasChanged = this.recent.get(userId);
      this.recent.delete(userId);
      if (hasChanged) this.announce(userId);
    }, intervalMs).unref();
  }

  private async publishNow(userId: number): Promise<void> {
    if (this.isStopped) return;
    const { findPerson, findContacts, delivery, log } = this.options;
    const contacts = await findContacts(userId).catch((error) => {
      log.warn({ err: error }, "a changed name is pushed to the user's own devices only");
      return [];
    });
    // Read last: another process may have changed it meanwhile.
    const person = await findPerson(userId);
    if (!person) return;
    const { id: _id, ...rest } = person;
    const recipientIds = [userId, ...contacts];
    delivery.publishSignal({ kind: "profile", item: { userId, ...rest }, recipientIds });
  }
}
