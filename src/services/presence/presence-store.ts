import type { Database } from "../../db/connect.ts";
import { mayWatch, recordLastSeen, visiblePresence, type WatchPair } from "../../db/queries/presence/presence.ts";

/** Whether a user is online. */
export interface Presence {
  userId: number;
  online: boolean;
  /** When the last device disconnected, ISO 8601; null while online and for users the viewer may not see. */
  lastSeenAt: string | null;
}

/** The stored side of presence: who may see whom (users who share a chat and do not block each other), and last seen. */
export class PresenceStore {
  /** When users were last seen, in milliseconds of the monotonic clock. */
  private unrecorded = new Map<number, number>();
  private isRecording = false;

  constructor(private readonly options: { database: Database }) {}

  /** The presence of these users as one viewer may see it. Users the viewer may not see are offline and never seen. */
  async of(userIds: readonly number[], viewerId: number, isOnline: (userId: number) => boolean): Promise<Presence[]> {
    const visible = await visiblePresence(this.options.database, { userId: viewerId, userIds });
    const lastSeen = new Map(visible.map(({ userId, lastSeenAt }) => [userId, lastSeenAt]));
    return userIds.map((userId) => {
      const online = lastSeen.has(userId) && isOnline(userId);
      return { userId, online, lastSeenAt: online ? null : (lastSeen.get(userId)?.toISOString() ?? null) };
    });
  }

  /** Whether each watcher may see the user it watches, in the order of the pairs. */
  mayWatch(pairs: readonly WatchPair[]): Promise<boolean[]> {
    return mayWatch(this.options.database, pairs);
  }

  /**
   * Records that a user was last seen now. Users who disconnect at the same time are written together, since there may be
   * many. Times that could not be written are written with the next ones.
   */
  async seen(userId: number): Promise<void> {
    this.unrecorded.set(userId, performance.now());
    if (this.isRecording) return;
    this.isRecording = true;
    try {
      while (this.unrecorded.size > 0) {
        const batch = this.unrecorded;
        this.unrecorded = new Map();
        const now = performance.now();
        const seen = [...batch].map(([id, at]) => ({ userId: id, agoMs: now - at }));
        await recordLastSeen(this.options.database, seen).catch((error) => {
          this.unrecorded = new Map([...batch, ...this.unrecorded]);
          throw error;
        });
      }
    } finally {
      this.isRecording = false;
    }
  }
}
