import type { Database } from "../../db/connect.ts";
import { areAllowedWatchers, knownPresence, noteLastSeen, type Watching } from "../../db/queries/presence/presence.ts";

/** Whether someone is there. */
export interface Presence {
  userId: number;
  online: boolean;
  /** When the last device went, ISO 8601; null while online, and where the one who asks may not know. */
  lastSeenAt: string | null;
}

/** Who may know of whom that they are there: people who share a chat, and neither blocks the other. */
export class PresenceStore {
  /** Who has gone and is not noted yet. */
  private gone = new Map<number, Date>();
  private isNoting = false;

  constructor(private readonly options: { database: Database }) {}

  /** What one person may know of others; whom it may not know of looks offline and never seen. */
  async of(userIds: readonly number[], forUserId: number, isOnline: (userId: number) => boolean): Promise<Presence[]> {
    const known = await knownPresence(this.options.database, { userId: forUserId, userIds });
    const lastSeen = new Map(known.map(({ userId, lastSeenAt }) => [userId, lastSeenAt]));
    return userIds.map((userId) => {
      const online = lastSeen.has(userId) && isOnline(userId);
      return { userId, online, lastSeenAt: online ? null : (lastSeen.get(userId)?.toISOString() ?? null) };
    });
  }

  /** Whether each of these watchers may, in the order given. */
  areAllowed(pairs: readonly Watching[]): Promise<boolean[]> {
    return areAllowedWatchers(this.options.database, pairs);
  }

  /**
   * Notes that somebody was here until now. Those who go at the same moment are noted together: it may be a crowd. Whoever
   * could not be noted is noted with the next.
   */
  async seen(userId: number, at: Date): Promise<void> {
    this.gone.set(userId, at);
    if (this.isNoting) return;
    this.isNoting = true;
    try {
      while (this.gone.size > 0) {
        const some = this.gone;
        this.gone = new Map();
        await noteLastSeen(this.options.database, [...some]).catch((error) => {
          this.gone = new Map([...some, ...this.gone]);
          throw error;
        });
      }
    } finally {
      this.isNoting = false;
    }
  }
}
