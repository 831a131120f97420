import { LRUCache } from "lru-cache";
import { atMost } from "../concurrency/lru-options.ts";

/** Users whose version is remembered. Of others, a change may be pushed again, which clients ignore. */
const maxUsers = 100_000;

/** The newest version of each user's personal state that was pushed by this process. */
export class StateVersions {
  private readonly pushed = new LRUCache<number, number>(atMost(maxUsers));

  note(userId: number, version: number): void {
    this.pushed.set(userId, Math.max(version, this.pushed.get(userId) ?? 0));
  }

  isNewer(userId: number, version: number): boolean {
    return version > (this.pushed.get(userId) ?? 0);
  }

  /** Forgets all: the database has another history now. */
  reset(): void {
    this.pushed.clear();
  }
}
