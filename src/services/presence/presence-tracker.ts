import type { Bus } from "../../bus/bus.ts";
import { publish, subscribe } from "../../bus/topic.ts";
import { failureLog } from "../../db/failure-log.ts";
import { membershipChangeOf } from "../../delivery/recipients.ts";
import type { Change } from "../../domain/change.ts";
import { AppError } from "../../errors.ts";
import type { FailureLog, Logger } from "../../logger.ts";
import type { Presence, PresenceStore } from "./presence-store.ts";
import { blockTopic } from "./presence-topics.ts";
import { RemotePresence } from "./remote-presence.ts";

/** A user goes offline this long after the last disconnect, so that a reconnect is not visible. In milliseconds. */
const offlineDelayMs = 15_000;
/** How many watches are checked with one query. */
const maxWatchesPerQuery = 1000;

/** The number of users that one device can watch. */
export const maxWatchedUsers = 100;

/** One device that can watch users. Compared by identity. */
export interface Watcher {
  readonly userId: number;
  readonly isOpen: boolean;
}

/** The users who are connected to this process. */
export interface LocalConnections {
  countOf(userId: number): number;
  userIds(): number[];
}

/** One device watches one user. */
interface Watch<W> {
  watcher: W;
  userId: number;
  /** What the device shows; undefined until its request is answered. */
  shownOnline: boolean | undefined;
  lastSeenAt: Date | null;
}

/** Tracks which users are online, here or on another process, and notifies the devices that watch them. */
export class PresenceTracker<W extends Watcher> {
  private readonly remote: RemotePresence;
  /** Users whose last connection is closed, and who are still shown as online. */
  private readonly goingOffline = new Map<number, NodeJS.Timeout>();
  private readonly watchesOfUser = new Map<number, Set<Watch<W>>>();
  private readonly watchesOfWatcher = new Map<W, readonly Watch<W>[]>();
  /** Watches whose shown state may be outdated. */
  private readonly pending = new Set<Watch<W>>();
  private isNotifying = false;
  private readonly storeFailures: FailureLog;
  private readonly notifyFailures: FailureLog;

  constructor(
    private readonly options: {
      connections: LocalConnections;
      store: PresenceStore;
      bus: Bus;
      /** Notifies a device. An ephemeral notification may be dropped if the device reads slowly. */
      notify: (watcher: W, presence: Presence, options: { ephemeral: boolean }) => void;
      log: Logger;
    },
  ) {
    const { connections, bus, log } = options;
    this.storeFailures = failureLog(log, "storing when users were last seen");
    this.notifyFailures = failureLog(log, "notifying of presence");
    this.remote = new RemotePresence({
      bus,
      connectedUserIds: () => connections.userIds(),
      onOnline: (userId) => {
        if (connections.countOf(userId) === 0) this.setOnline(userId);
      },
      onOffline: (userId) => {
        if (connections.countOf(userId) === 0) this.setOffline(userId, new Date());
      },
    });
    subscribe(bus, blockTopic, (pair) => this.recheck(pair, pair));
  }

  /** To be called when a device has connected, after it was counted. */
  connected({ userId }: W): void {
    if (this.options.connections.countOf(userId) > 1) return;
    this.remote.publishChange(userId, true);
    if (!this.remote.has(userId)) this.setOnline(userId);
  }

  /** To be called when a device has disconnected, after it is no longer counted. */
  disconnected(watcher: W): void {
    this.unwatch(watcher);
    const { userId } = watcher;
    const { connections, store } = this.options;
    if (connections.countOf(userId) > 0) return;
    this.remote.publishChange(userId, false);
    // What is pushed is shown, and never compared; what is stored is the time of the database.
    const lastSeenAt = new Date();
    void store.seen(userId).then(
      () => this.storeFailures.succeeded(),
      (error) => this.storeFailures.failed(error),
    );
    if (!this.remote.has(userId)) this.setOffline(userId, lastSeenAt);
  }

  /** Watches these users instead of the previous ones, and returns their presence. */
  watch(watcher: W, userIds: readonly number[]): Promise<Presence[]> {
    this.unwatch(watcher);
    return this.watchMore(watcher, userIds);
  }

  /**
   * Watches further users, and stops watching others.
   * @returns the presence of those added
   * @throws AppError of kind "limit" if the device would watch too many; then nothing is changed
   */
  async changeWatched(
    watcher: W,
    { add, remove }: { add: readonly number[]; remove: readonly number[] },
  ): Promise<Presence[]> {
    const watched = this.watchesOfWatcher.get(watcher) ?? [];
    const added = new Set(add);
    const removed = new Set([...remove, ...add]);
    const staying = watched.filter(({ userId }) => !removed.has(userId));
    if (staying.length + added.size > maxWatchedUsers) {
      throw new AppError("limit", `A socket watches at most ${maxWatchedUsers} users`);
    }
    this.removeWatches(watched.filter(({ userId }) => removed.has(userId)));
    this.watchesOfWatcher.set(watcher, staying);
    return this.watchMore(watcher, add);
  }

  private async watchMore(watcher: W, userIds: readonly number[]): Promise<Presence[]> {
    const ids = [...new Set(userIds)];
    const watches = ids.map((userId): Watch<W> => ({ watcher, userId, shownOnline: undefined, lastSeenAt: null }));
    // A request may be executed after its socket was closed. Its watches would never be removed.
    if (watcher.isOpen) this.addWatches(watcher, watches);
    const presences = await this.options.store.of(ids, watcher.userId, this.isOnline);
    return presences.map((presence, index) => {
      const watch = watches[index];
      // A change during the query is newer than its result.
      const online = watch?.shownOnline ?? presence.online;
      if (watch) watch.shownOnline = online;
      return { ...presence, online, lastSeenAt: online ? null : presence.lastSeenAt };
    });
  }

  /** To be called for each delivered change: it may let users see each other, or no longer. */
  changeCommitted({ message, recipientIds }: Change): void {
    const moved = movedBy(message);
    if (moved.length > 0) this.recheck(moved, recipientIds);
  }

  /** To be called when one of two users has blocked or unblocked the other. */
  readonly blockChanged = (pair: [number, number]): void => {
    publish(this.options.bus, blockTopic, pair);
    this.recheck(pair, pair);
  };

  stop(): void {
    this.remote.stop();
    for (const timer of this.goingOffline.values()) clearTimeout(timer);
    this.goingOffline.clear();
  }

  private addWatches(watcher: W, watches: readonly Watch<W>[]): void {
    this.watchesOfWatcher.set(watcher, [...(this.watchesOfWatcher.get(watcher) ?? []), ...watches]);
    for (const watch of watches) {
      const set = this.watchesOfUser.get(watch.userId) ?? new Set();
      this.watchesOfUser.set(watch.userId, set.add(watch));
    }
  }

  private unwatch(watcher: W): void {
    this.removeWatches(this.watchesOfWatcher.get(watcher) ?? []);
    this.watchesOfWatcher.delete(watcher);
  }

  private removeWatches(watches: readonly Watch<W>[]): void {
    for (const watch of watches) {
      this.pending.delete(watch);
      const set = this.watchesOfUser.get(watch.userId);
      if (set?.delete(watch) && set.size === 0) this.watchesOfUser.delete(watch.userId);
    }
  }

  private isActive(watch: Watch<W>): boolean {
    return this.watchesOfUser.get(watch.userId)?.has(watch) ?? false;
  }

  private readonly isOnline = (userId: number): boolean =>
    this.options.connections.countOf(userId) > 0 || this.remote.has(userId) || this.goingOffline.has(userId);

  private setOnline(userId: number): void {
    const timer = this.goingOffline.get(userId);
    clearTimeout(timer);
    this.goingOffline.delete(userId);
    if (!timer) this.notifyWatchersOf(userId, null);
  }

  private setOffline(userId: number, lastSeenAt: Date): void {
    clearTimeout(this.goingOffline.get(userId));
    const goOffline = () => {
      this.goingOffline.delete(userId);
      this.notifyWatchersOf(userId, lastSeenAt);
    };
    this.goingOffline.set(userId, setTimeout(goOffline, offlineDelayMs).unref());
  }

  private notifyWatchersOf(userId: number, lastSeenAt: Date | null): void {
    for (const watch of this.watchesOfUser.get(userId) ?? []) {
      watch.lastSeenAt = lastSeenAt;
      this.pending.add(watch);
    }
    void this.notifyPending();
  }

  /** Rechecks the watches among all these users in which one of the moved users watches or is watched. */
  private recheck(movedIds: readonly number[], allIds: readonly number[]): void {
    const moved = new Set(movedIds);
    const all = new Set(allIds);
    for (const userId of all) {
      for (const watch of this.watchesOfUser.get(userId) ?? []) {
        const watcherId = watch.watcher.userId;
        if (all.has(watcherId) && (moved.has(userId) || moved.has(watcherId))) this.pending.add(watch);
      }
    }
    void this.notifyPending();
  }

  /** Watches that become pending during a query are checked with the next one, so that the last result wins. */
  private async notifyPending(): Promise<void> {
    if (this.isNotifying) return;
    this.isNotifying = true;
    while (this.pending.size > 0) {
      const batch: Watch<W>[] = [];
      for (const watch of this.pending) {
        this.pending.delete(watch);
        if (batch.push(watch) === maxWatchesPerQuery) break;
      }
      try {
        await this.notify(batch);
        this.notifyFailures.succeeded();
      } catch (error) {
        this.notifyFailures.failed(error);
        for (const watch of batch) if (this.isActive(watch)) this.pending.add(watch);
        break;
      }
    }
    this.isNotifying = false;
  }

  private async notify(batch: readonly Watch<W>[]): Promise<void> {
    const pairs = batch.map(({ watcher, userId }) => ({ userId, watcherId: watcher.userId }));
    const allowed = await this.options.store.mayWatch(pairs);
    for (const [index, watch] of batch.entries()) {
      const mayWatch = allowed[index] ?? false;
      const { watcher, userId, shownOnline } = watch;
      // The state now, which may have changed during the query.
      const online = mayWatch && this.isOnline(userId);
      watch.shownOnline = online;
      if (!this.isActive(watch) || shownOnline === undefined || shownOnline === online) continue;
      const lastSeenAt = mayWatch && !online ? (watch.lastSeenAt?.toISOString() ?? null) : null;
      // A watcher who may no longer see the user gets no further notification, so this one must not be dropped.
      this.options.notify(watcher, { userId, online, lastSeenAt }, { ephemeral: mayWatch });
    }
  }
}

/** The users who joined or left a chat with this change. The first message of a dialog connects both users. */
function movedBy({ event, version, sender }: Change["message"]): readonly number[] {
  if (version === 1) return [sender.id];
  const { joined, left } = membershipChangeOf(event);
  return [...joined, ...left];
}
