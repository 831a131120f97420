import { call, type Observable } from "./observable.ts";
import type { Presence as PresenceItem } from "./protocol.ts";

/** Whether a user is online. */
export interface PersonPresence {
  readonly userId: number;
  readonly online: boolean;
  /** When the last device disconnected, ISO 8601; `null` while online, and where it is not shown. */
  readonly lastSeenAt: string | null;
}

type Watch = (change: { userIds: number[] } | { add: number[]; remove: number[] }) => Promise<readonly PresenceItem[]>;

const maxWatched = 100;

/** The presence of the users that somebody subscribes to. */
export class PresenceWatcher {
  private readonly known = new Map<number, PersonPresence>();
  private readonly subscriptions = new Set<{ userIds: readonly number[]; notify(): void }>();
  private watched = new Set<number>();
  private watch: Watch | undefined;
  private isScheduled = false;

  /** The presence of some users, in the order of the ids. They are watched while there are subscribers; at most 100 in all. */
  of(userIds: readonly number[]): Observable<readonly PersonPresence[]> {
    let current: readonly PersonPresence[] | undefined;
    const read = (): readonly PersonPresence[] => {
      const next = userIds.map((userId) => this.known.get(userId) ?? offline(userId));
      const isSame = current?.every((presence, index) => isEqual(presence, next[index]));
      if (!current || !isSame) current = next;
      return current;
    };
    return {
      get value() {
        return read();
      },
      subscribe: (listener) => {
        let last = read();
        const subscription = {
          userIds,
          notify() {
            const next = read();
            if (next === last) return;
            last = next;
            call(listener, next);
          },
        };
        this.subscriptions.add(subscription);
        this.schedule();
        call(listener, last);
        return () => {
          this.subscriptions.delete(subscription);
          this.schedule();
        };
      },
    };
  }

  /** Begins to watch on a new connection, which watches nobody yet. */
  begin(watch: Watch): void {
    this.watch = watch;
    this.watched = new Set();
    this.schedule();
  }

  /** Without a connection nothing is known. */
  end(): void {
    this.watch = undefined;
    this.known.clear();
    this.notify();
  }

  apply(presence: PresenceItem): void {
    this.known.set(presence.userId, presence);
    this.notify();
  }

  private notify(): void {
    for (const subscription of [...this.subscriptions]) subscription.notify();
  }

  /** Subscriptions that begin and end together make one request. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      void this.update();
    });
  }

  private async update(): Promise<void> {
    const { watch } = this;
    if (!watch) return;
    const wanted = new Set([...this.subscriptions].flatMap(({ userIds }) => userIds).slice(0, maxWatched));
    const add = [...wanted].filter((userId) => !this.watched.has(userId));
    const remove = [...this.watched].filter((userId) => !wanted.has(userId));
    if (add.length === 0 && remove.length === 0) return;
    this.watched = wanted;
    for (const userId of remove) this.known.delete(userId);
    // Presence is best-effort: the next change tries again.
    const found = await watch({ add, remove }).catch(() => {
      if (this.watch === watch) this.watched = new Set();
      return [];
    });
    for (const presence of found) this.known.set(presence.userId, presence);
    this.notify();
  }
}

const offline = (userId: number): PersonPresence => ({ userId, online: false, lastSeenAt: null });

const isEqual = (a: PersonPresence, b: PersonPresence | undefined): boolean =>
  a.userId === b?.userId && a.online === b.online && a.lastSeenAt === b.lastSeenAt;
