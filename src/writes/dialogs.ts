import { LRUCache } from "lru-cache";
import { atMost } from "../concurrency/lru-options.ts";
import type { Database } from "../db/connect.ts";
import { dialogsOf, type Pair, pairKey } from "../db/queries/chats/dialogs.ts";
import { blocks, reachable } from "../db/queries/people/blocked-people.ts";
import { noSuchUser } from "../domain-errors.ts";
import type { ChatWriter } from "./chat-transaction.ts";

/** How many dialogs are created concurrently; the other connections are left to everyone else. */
const concurrency = 4;
/** Dialogs never end, so the ids of those with messages can be cached. */
const maxCached = 100_000;

/** The key of a pair's dialog: the same in both directions. */
export const dialogKey = ({ userId, otherId }: Pair): string =>
  `${Math.min(userId, otherId)} ${Math.max(userId, otherId)}`;

/** Finds the dialog of a pair of people. Their first message creates it, in a transaction of its own. */
export class Dialogs {
  private readonly cached = new LRUCache<string, number>(atMost(maxCached));

  constructor(private readonly options: { database: Database; chatWriter: ChatWriter }) {}

  /** Forgets the ids: the database has another history now. */
  reset(): void {
    this.cached.clear();
  }

  /**
   * Finds the dialogs of pairs, of whom the first person writes to the second, and creates those that do not exist. An empty
   * dialog counts as none: a user who may not create it may not use it either.
   * @returns for each pair, by `pairKey`, the id of the chat, or the reason why it could not be created
   */
  async open(pairs: readonly Pair[]): Promise<ReadonlyMap<string, number | Error>> {
    const dialogs = new Map<string, number | Error>();
    const unknown = new Map<string, Pair>();
    for (const pair of pairs) {
      const known = this.cached.get(dialogKey(pair));
      if (known !== undefined) dialogs.set(pairKey(pair), known);
      // Each direction separately: only one of the two may be blocked.
      else unknown.set(pairKey(pair), pair);
    }
    if (unknown.size === 0) return dialogs;
    const found = await dialogsOf(this.options.database, [...unknown.values()]);
    for (const [key, { chatId, isEmpty }] of found) {
      const pair = unknown.get(key);
      if (!pair || isEmpty) continue;
      this.cached.set(dialogKey(pair), chatId);
      dialogs.set(key, chatId);
      unknown.delete(key);
    }
    // Before any lock: most pairs without a dialog that cannot have one are refused here.
    const allowed = unknown.size === 0 ? [] : await reachable(this.options.database, [...unknown.values()]);
    const missing = [...unknown].filter(([key], index) => {
      if (!allowed[index]) dialogs.set(key, noSuchUser());
      return allowed[index];
    });
    for (let start = 0; start < missing.length; start += concurrency) {
      const group = missing.slice(start, start + concurrency).map(async ([key, pair]) => {
        try {
          dialogs.set(key, await this.create(pair));
        } catch (error) {
          dialogs.set(key, error as Error);
        }
      });
      await Promise.all(group);
    }
    return dialogs;
  }

  private create({ userId, otherId }: Pair): Promise<number> {
    return this.options.chatWriter.commit(undefined, async (tx) => {
      for (const id of [userId, otherId].sort((a, b) => a - b)) {
        if (!(await tx.lockAccount(id))) throw noSuchUser();
      }
      if (await blocks(otherId, userId, tx.transaction)) throw noSuchUser();
      return tx.findOrCreateDialog(userId, otherId);
    });
  }
}
