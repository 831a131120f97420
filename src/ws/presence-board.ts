import { pushFrame } from "../contract/frames.ts";
import type { Logger } from "../logger.ts";
import type { Presence, Presences } from "../services/presence.ts";
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { textFrame } from "./outbox.ts";

/** Someone who comes back within this time never went: a reconnect does not flicker. */
const graceMs = 15_000;

/** Who is online, which sockets watch whom, and telling them. */
export class PresenceBoard {
  /** Whose last socket has gone and whose grace is running. */
  private readonly leaving = new Map<number, NodeJS.Timeout>();
  private readonly watchers = new Map<number, Set<Connection>>();
  private readonly watched = new Map<Connection, readonly number[]>();

  constructor(private readonly options: { connections: Connections; presences: Presences; log: Logger }) {}

  /** A socket has been opened. */
  opened(connection: Connection): void {
    const { userId } = connection.claims;
    const grace = this.leaving.get(userId);
    clearTimeout(grace);
    this.leaving.delete(userId);
    const isFirst = this.options.connections.countOf(userId) === 1;
    if (isFirst && !grace) this.announce(userId, null);
  }

  /** A socket has been closed. */
  closed(connection: Connection): void {
    this.unwatch(connection);
    const { userId } = connection.claims;
    if (this.options.connections.countOf(userId) > 0) return;
    const goneAt = new Date();
    const leave = () => {
      this.leaving.delete(userId);
      this.announce(userId, goneAt);
    };
    this.leaving.set(userId, setTimeout(leave, graceMs).unref());
    this.options.presences.seen([userId], goneAt).catch((err) => this.options.log.debug({ err }, "not noted as seen"));
  }

  /** Watches these people from now on, and no others, and says how it is with them now. */
  watch(connection: Connection, userIds: readonly number[]): Promise<Presence[]> {
    this.unwatch(connection);
    const ids = [...new Set(userIds)];
    // A request may be answered after its socket has gone, which nobody would then take off the list.
    if (connection.isOpen) this.note(connection, ids);
    return this.options.presences.of(ids, connection.claims.userId, this.isOnline);
  }

  private note(connection: Connection, ids: readonly number[]): void {
    this.watched.set(connection, ids);
    for (const userId of ids) {
      const set = this.watchers.get(userId) ?? new Set();
      this.watchers.set(userId, set.add(connection));
    }
  }

  stop(): void {
    for (const grace of this.leaving.values()) clearTimeout(grace);
    this.leaving.clear();
  }

  private readonly isOnline = (userId: number): boolean =>
    this.options.connections.countOf(userId) > 0 || this.leaving.has(userId);

  private unwatch(connection: Connection): void {
    for (const userId of this.watched.get(connection) ?? []) {
      const set = this.watchers.get(userId);
      if (set?.delete(connection) && set.size === 0) this.watchers.delete(userId);
    }
    this.watched.delete(connection);
  }

  private announce(userId: number, goneAt: Date | null): void {
    this.tell(userId, goneAt).catch((err) => this.options.log.debug({ err }, "a presence was not told"));
  }

  private async tell(userId: number, goneAt: Date | null): Promise<void> {
    const watching = [...(this.watchers.get(userId) ?? [])];
    if (watching.length === 0) return;
    const watcherIds = [...new Set(watching.map(({ claims }) => claims.userId))];
    const allowed = new Set(await this.options.presences.allowed(userId, watcherIds));
    // Things may have changed during the question: what is told is how it is now.
    const online = this.isOnline(userId);
    const item: Presence = { userId, online, lastSeenAt: online ? null : (goneAt?.toISOString() ?? null) };
    const frame = textFrame(JSON.stringify(pushFrame("presence", { message: null, senderName: null, item })));
    for (const connection of watching) {
      if (allowed.has(connection.claims.userId) && this.watched.has(connection))
        connection.push({ frame, ephemeral: true });
    }
  }
}
