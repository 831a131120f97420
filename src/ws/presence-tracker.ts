import { type Bus, isIds } from "../bus/bus.ts";
import { pushFrame } from "../contract/frames.ts";
import type { Change } from "../delivery/delivery.ts";
import type { Logger } from "../logger.ts";
import type { Presence, PresenceStore } from "../services/presence/presence-store.ts";
import type { Connection } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { textFrame } from "./socket-writer.ts";
import { RemotePresence } from "./remote-presence.ts";

/** Someone who comes back within this time never went: a reconnect does not flicker. */
const offlineDelayMs = 15_000;
/** About more watches one statement should not ask. */
const maxWatchesPerQuery = 1000;

/** One socket watches one person. */
interface Watch {
  connection: Connection;
  userId: number;
  /** Whether the socket shows the person as online; undefined until it has been answered. */
  shownOnline: boolean | undefined;
  lastSeenAt: Date | null;
}

/** Who is online, here or at another process, which sockets watch whom, and telling them. */
export class PresenceTracker {
  /** Whose last socket has gone and whose timer is running. */
  private readonly goingOffline = new Map<number, NodeJS.Timeout>();
  private readonly watchers = new Map<number, Set<Watch>>();
  private readonly watched = new Map<Connection, readonly Watch[]>();
  /** What may have to be shownOnline otherwise than it is. */
  private readonly pending = new Set<Watch>();
  private isNotifying = false;

  private readonly peers: RemotePresence;

  constructor(private readonly options: { connections: Connections; store: PresenceStore; bus: Bus; log: Logger }) {
    const { connections, bus } = options;
    this.peers = new RemotePresence({
      bus,
      connected: () => connections.userIds(),
      onOnline: (userId) => {
        if (connections.countOf(userId) === 0) this.online(userId);
      },
      onOffline: (userId) => {
        if (connections.countOf(userId) === 0) this.offline(userId, new Date());
      },
    });
    bus.subscribe("block", (pair) => {
      if (isIds(pair)) this.recheck(pair, pair);
    });
  }

  /** A socket has been opened. */
  connected(connection: Connection): void {
    const { userId } = connection.claims;
    if (this.options.connections.countOf(userId) > 1) return;
    this.peers.publishChange(userId, true);
    if (!this.peers.has(userId)) this.online(userId);
  }

  /** A socket has been closed. */
  disconnected(connection: Connection): void {
    this.unwatch(connection);
    const { userId } = connection.claims;
    if (this.options.connections.countOf(userId) > 0) return;
    this.peers.publishChange(userId, false);
    const { store, log } = this.options;
    const lastSeenAt = new Date();
    store.seen(userId, lastSeenAt).catch((err) => log.debug({ err }, "not noted as seen"));
    if (!this.peers.has(userId)) this.offline(userId, lastSeenAt);
  }

  /** Watches these people from now on, and no others, and says how it is with them now. */
  async watch(connection: Connection, userIds: readonly number[]): Promise<Presence[]> {
    this.unwatch(connection);
    const ids = [...new Set(userIds)];
    const watches = ids.map((userId): Watch => ({ connection, userId, shownOnline: undefined, lastSeenAt: null }));
    // A request may be answered after its socket has gone, which nobody would then take off the list.
    if (connection.isOpen) this.addWatches(connection, watches);
    const presences = await this.options.store.of(ids, connection.claims.userId, this.isOnline);
    return presences.map((presence, index) => {
      const watch = watches[index];
      // What has come up since the question is newer than what it found.
      const online = watch?.shownOnline ?? presence.online;
      if (watch) watch.shownOnline = online;
      return { ...presence, online, lastSeenAt: online ? null : presence.lastSeenAt };
    });
  }

  /** A change has been told by which people may have come to share a chat, or to share none any more. */
  changeCommitted({ message, recipientIds }: Change): void {
    const moved = movedBy(message);
    if (moved.length > 0) this.recheck(moved, recipientIds);
  }

  /** One of these two blocks the other from now on, or no longer. */
  readonly blockChanged = (pair: [number, number]): void => {
    this.options.bus.publish("block", pair);
    this.recheck(pair, pair);
  };

  stop(): void {
    this.peers.stop();
    for (const timer of this.goingOffline.values()) clearTimeout(timer);
    this.goingOffline.clear();
  }

  private addWatches(connection: Connection, watches: readonly Watch[]): void {
    this.watched.set(connection, watches);
    for (const watch of watches) {
      const set = this.watchers.get(watch.userId) ?? new Set();
      this.watchers.set(watch.userId, set.add(watch));
    }
  }

  private unwatch(connection: Connection): void {
    for (const watch of this.watched.get(connection) ?? []) {
      this.pending.delete(watch);
      const set = this.watchers.get(watch.userId);
      if (set?.delete(watch) && set.size === 0) this.watchers.delete(watch.userId);
    }
    this.watched.delete(connection);
  }

  private readonly isOnline = (userId: number): boolean =>
    this.options.connections.countOf(userId) > 0 || this.peers.has(userId) || this.goingOffline.has(userId);

  /** Somebody who was connected nowhere is connected. */
  private online(userId: number): void {
    const timer = this.goingOffline.get(userId);
    clearTimeout(timer);
    this.goingOffline.delete(userId);
    if (!timer) this.notifyWatchers(userId, null);
  }

  /** Somebody is connected nowhere any more. */
  private offline(userId: number, lastSeenAt: Date): void {
    clearTimeout(this.goingOffline.get(userId));
    const goOffline = () => {
      this.goingOffline.delete(userId);
      this.notifyWatchers(userId, lastSeenAt);
    };
    this.goingOffline.set(userId, setTimeout(goOffline, offlineDelayMs).unref());
  }

  private notifyWatchers(userId: number, lastSeenAt: Date | null): void {
    for (const watch of this.watchers.get(userId) ?? []) {
      watch.lastSeenAt = lastSeenAt;
      this.pending.add(watch);
    }
    void this.notifyPending();
  }

  /** Each of these people may know more or less than before of the others, and they of him. */
  private recheck(userIds: readonly number[], otherIds: readonly number[]): void {
    const moved = new Set(userIds);
    const among = new Set(otherIds);
    for (const userId of among) {
      for (const watch of this.watchers.get(userId) ?? []) {
        const watcherId = watch.connection.claims.userId;
        if (among.has(watcherId) && (moved.has(userId) || moved.has(watcherId))) this.pending.add(watch);
      }
    }
    void this.notifyPending();
  }

  /** What comes up during a question is asked in the next one, so that the last answer is the one that stays. */
  private async notifyPending(): Promise<void> {
    if (this.isNotifying) return;
    this.isNotifying = true;
    while (this.pending.size > 0) {
      const batch: Watch[] = [];
      for (const watch of this.pending) {
        this.pending.delete(watch);
        if (batch.push(watch) === maxWatchesPerQuery) break;
      }
      try {
        await this.notify(batch);
      } catch (err) {
        this.options.log.debug({ err }, "some presences were not told; trying again with the next");
        for (const watch of batch) if (this.isActive(watch)) this.pending.add(watch);
        break;
      }
    }
    this.isNotifying = false;
  }

  private async notify(batch: readonly Watch[]): Promise<void> {
    const pairs = batch.map(({ connection, userId }) => ({ userId, watcherId: connection.claims.userId }));
    const allowed = await this.options.store.mayWatch(pairs);
    for (const [index, watch] of batch.entries()) {
      const isAllowed = allowed[index] ?? false;
      const { connection, userId, shownOnline, lastSeenAt } = watch;
      // Things may have changed during the question: what is told is how it is now.
      const online = isAllowed && this.isOnline(userId);
      watch.shownOnline = online;
      if (!this.isActive(watch) || shownOnline === undefined || shownOnline === online) continue;
      const shownLastSeenAt = isAllowed && !online ? (lastSeenAt?.toISOString() ?? null) : null;
      const item: Presence = { userId, online, lastSeenAt: shownLastSeenAt };
      const frame = textFrame(JSON.stringify(pushFrame("presence", { message: null, senderName: null, item })));
      // Whoever may not know is told nothing more: this one must not get lost.
      connection.push({ frame, ...(isAllowed && { ephemeral: true }) });
    }
  }

  private isActive(watch: Watch): boolean {
    return this.watchers.get(watch.userId)?.has(watch) ?? false;
  }
}

/** Who came into a chat or went out of it by this change; a first message brings two people together. */
function movedBy({ event, version, sender }: Change["message"]): readonly number[] {
  if (version === 1) return [sender.id];
  switch (event?.kind) {
    case "memberAdded":
    case "memberRemoved":
      return event.userId === undefined ? [] : [event.userId];
    case "memberLeft":
      return [event.byUserId];
    case "groupDeleted":
      return event.memberIds ?? [];
    default:
      return [];
  }
}
