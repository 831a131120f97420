import type { Bus } from "../bus/bus.ts";
import { pushFrame } from "../contract/frames.ts";
import type { Logger } from "../logger.ts";
import type { Presence, Presences } from "../services/presence.ts";
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { textFrame } from "./outbox.ts";
import { PresencePeers } from "./presence-peers.ts";

/** Someone who comes back within this time never went: a reconnect does not flicker. */
const graceMs = 15_000;

/** Who is online, here or at another process, which sockets watch whom, and telling them. */
export class PresenceBoard {
  /** Whose last socket has gone and whose grace is running. */
  private readonly leaving = new Map<number, NodeJS.Timeout>();
  private readonly watchers = new Map<number, Set<Connection>>();
  private readonly watched = new Map<Connection, readonly number[]>();

  private readonly peers: PresencePeers;

  constructor(private readonly options: { connections: Connections; presences: Presences; bus: Bus; log: Logger }) {
    const { connections, bus } = options;
    this.peers = new PresencePeers({
      bus,
      connected: () => connections.userIds(),
      onCame: (userId) => {
        if (connections.countOf(userId) === 0) this.came(userId);
      },
      onWent: (userId) => {
        if (connections.countOf(userId) === 0) this.went(userId, new Date());
      },
    });
  }

  /** A socket has been opened. */
  opened(connection: Connection): void {
    const { userId } = connection.claims;
    if (this.options.connections.countOf(userId) > 1) return;
    this.peers.tell(userId, true);
    if (!this.peers.has(userId)) this.came(userId);
  }

  /** A socket has been closed. */
  closed(connection: Connection): void {
    this.unwatch(connection);
    const { userId } = connection.claims;
    if (this.options.connections.countOf(userId) > 0) return;
    this.peers.tell(userId, false);
    const { presences, log } = this.options;
    const goneAt = new Date();
    presences.seen(userId, goneAt).catch((err) => log.debug({ err }, "not noted as seen"));
    if (!this.peers.has(userId)) this.went(userId, goneAt);
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
    this.peers.stop();
    for (const grace of this.leaving.values()) clearTimeout(grace);
    this.leaving.clear();
  }

  private readonly isOnline = (userId: number): boolean =>
    this.options.connections.countOf(userId) > 0 || this.peers.has(userId) || this.leaving.has(userId);

  /** Somebody who was connected nowhere is connected. */
  private came(userId: number): void {
    const grace = this.leaving.get(userId);
    clearTimeout(grace);
    this.leaving.delete(userId);
    if (!grace) this.announce(userId, null);
  }

  /** Somebody is connected nowhere any more. */
  private went(userId: number, goneAt: Date): void {
    clearTimeout(this.leaving.get(userId));
    const leave = () => {
      this.leaving.delete(userId);
      this.announce(userId, goneAt);
    };
    this.leaving.set(userId, setTimeout(leave, graceMs).unref());
  }

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
