import type { Change } from "../domain/change.ts";
import { type Bus, isIds } from "../bus/bus.ts";
import { pushFrame } from "../contract/frames.ts";
import { membershipChangeOf } from "../delivery/recipients.ts";
import type { Logger } from "../logger.ts";
import type { Presence, PresenceStore } from "../services/presence/presence-store.ts";
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { textFrame } from "./socket-writer.ts";
import { RemotePresence } from "./remote-presence.ts";

/** Someone who comes back within this time never went: a reconnect does not flicker. */
const graceMs = 15_000;
/** About more watches one statement should not ask. */
const mostAtOnce = 1000;

/** One socket watches one person. */
interface Watch {
  connection: Connection;
  userId: number;
  /** Whether the socket shows the person as online; undefined until it has been answered. */
  shown: boolean | undefined;
  goneAt: Date | null;
}

/** Who is online, here or at another process, which sockets watch whom, and telling them. */
export class PresenceTracker {
  /** Whose last socket has gone and whose grace is running. */
  private readonly leaving = new Map<number, NodeJS.Timeout>();
  private readonly watchers = new Map<number, Set<Watch>>();
  private readonly watched = new Map<Connection, readonly Watch[]>();
  /** What may have to be shown otherwise than it is. */
  private readonly due = new Set<Watch>();
  private isTelling = false;

  private readonly peers: RemotePresence;

  constructor(private readonly options: { connections: Connections; presences: PresenceStore; bus: Bus; log: Logger }) {
    const { connections, bus } = options;
    this.peers = new RemotePresence({
      bus,
      connected: () => connections.userIds(),
      onCame: (userId) => {
        if (connections.countOf(userId) === 0) this.came(userId);
      },
      onWent: (userId) => {
        if (connections.countOf(userId) === 0) this.went(userId, new Date());
      },
    });
    bus.subscribe("block", (pair) => {
      if (isIds(pair)) this.reconsider(pair, pair);
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
  async watch(connection: Connection, userIds: readonly number[]): Promise<Presence[]> {
    this.unwatch(connection);
    const ids = [...new Set(userIds)];
    const watches = ids.map((userId): Watch => ({ connection, userId, shown: undefined, goneAt: null }));
    // A request may be answered after its socket has gone, which nobody would then take off the list.
    if (connection.isOpen) this.note(connection, watches);
    const presences = await this.options.presences.of(ids, connection.claims.userId, this.isOnline);
    return presences.map((presence, index) => {
      const watch = watches[index];
      // What has come up since the question is newer than what it found.
      const online = watch?.shown ?? presence.online;
      if (watch) watch.shown = online;
      return { ...presence, online, lastSeenAt: online ? null : presence.lastSeenAt };
    });
  }

  /** A change has been told by which people may have come to share a chat, or to share none any more. */
  changed({ message, recipientIds }: Change): void {
    const moved = movedBy(message);
    if (moved.length > 0) this.reconsider(moved, recipientIds);
  }

  /** One of these two blocks the other from now on, or no longer. */
  readonly blockChanged = (pair: [number, number]): void => {
    this.options.bus.publish("block", pair);
    this.reconsider(pair, pair);
  };

  stop(): void {
    this.peers.stop();
    for (const grace of this.leaving.values()) clearTimeout(grace);
    this.leaving.clear();
  }

  private note(connection: Connection, watches: readonly Watch[]): void {
    this.watched.set(connection, watches);
    for (const watch of watches) {
      const set = this.watchers.get(watch.userId) ?? new Set();
      this.watchers.set(watch.userId, set.add(watch));
    }
  }

  private unwatch(connection: Connection): void {
    for (const watch of this.watched.get(connection) ?? []) {
      this.due.delete(watch);
      const set = this.watchers.get(watch.userId);
      if (set?.delete(watch) && set.size === 0) this.watchers.delete(watch.userId);
    }
    this.watched.delete(connection);
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

  private announce(userId: number, goneAt: Date | null): void {
    for (const watch of this.watchers.get(userId) ?? []) {
      watch.goneAt = goneAt;
      this.due.add(watch);
    }
    void this.tellDue();
  }

  /** Each of these people may know more or less than before of the others, and they of him. */
  private reconsider(userIds: readonly number[], otherIds: readonly number[]): void {
    const moved = new Set(userIds);
    const among = new Set(otherIds);
    for (const userId of among) {
      for (const watch of this.watchers.get(userId) ?? []) {
        const watcherId = watch.connection.claims.userId;
        if (among.has(watcherId) && (moved.has(userId) || moved.has(watcherId))) this.due.add(watch);
      }
    }
    void this.tellDue();
  }

  /** What comes up during a question is asked in the next one, so that the last answer is the one that stays. */
  private async tellDue(): Promise<void> {
    if (this.isTelling) return;
    this.isTelling = true;
    while (this.due.size > 0) {
      const some: Watch[] = [];
      for (const watch of this.due) {
        this.due.delete(watch);
        if (some.push(watch) === mostAtOnce) break;
      }
      try {
        await this.tell(some);
      } catch (err) {
        this.options.log.debug({ err }, "some presences were not told; trying again with the next");
        for (const watch of some) if (this.isNoted(watch)) this.due.add(watch);
        break;
      }
    }
    this.isTelling = false;
  }

  private async tell(some: readonly Watch[]): Promise<void> {
    const pairs = some.map(({ connection, userId }) => ({ userId, watcherId: connection.claims.userId }));
    const allowed = await this.options.presences.areAllowed(pairs);
    for (const [index, watch] of some.entries()) {
      const isAllowed = allowed[index] ?? false;
      const { connection, userId, shown, goneAt } = watch;
      // Things may have changed during the question: what is told is how it is now.
      const online = isAllowed && this.isOnline(userId);
      watch.shown = online;
      if (!this.isNoted(watch) || shown === undefined || shown === online) continue;
      const lastSeenAt = isAllowed && !online ? (goneAt?.toISOString() ?? null) : null;
      const item: Presence = { userId, online, lastSeenAt };
      const frame = textFrame(JSON.stringify(pushFrame("presence", { message: null, senderName: null, item })));
      // Whoever may not know is told nothing more: this one must not get lost.
      connection.push({ frame, ...(isAllowed && { ephemeral: true }) });
    }
  }

  private isNoted(watch: Watch): boolean {
    return this.watchers.get(watch.userId)?.has(watch) ?? false;
  }
}

/** Who came into a chat or went out of it by this change; a first message brings two people together. */
function movedBy({ event, version, sender }: Change["message"]): readonly number[] {
  if (version === 1) return [sender.id];
  if (!event) return [];
  const { joined, left } = membershipChangeOf(event);
  return [...joined, ...left];
}
