import type { Database } from "../../db/connect.ts";
import { dialogsOf, type Pair, pairKey } from "../../db/queries/chats/dialogs.ts";
import { noSuchUser } from "../../domain-errors.ts";
import type { ChatWriter } from "../../writes/chat-log.ts";
import { blocks } from "../people/blocks.ts";

/** How many dialogs are opened side by side: some connections are left to everyone else. */
const openedAtATime = 4;
/** Dialogs never end, so which one a pair has can be remembered: for this many pairs. */
const mostRemembered = 100_000;

/** The name of the dialog of a pair: the same whoever writes to whom. */
export const dialogKey = ({ userId, otherId }: Pair): string =>
  `${Math.min(userId, otherId)} ${Math.max(userId, otherId)}`;

/** Which dialog a pair of people has; it is opened by their first message, in a transaction of its own. */
export class Dialogs {
  private readonly remembered = new Map<string, number>();

  constructor(private readonly options: { database: Database; chatWriter: ChatWriter }) {}

  /**
   * Finds the dialogs of those who write to somebody, and opens what is not there.
   * @returns for each pair, by `pairKey`, the chat, or why it could not be opened
   */
  async open(pairs: readonly Pair[]): Promise<ReadonlyMap<string, number | Error>> {
    const dialogs = new Map<string, number | Error>();
    const unknown = new Map<string, Pair>();
    for (const pair of pairs) {
      const known = this.remembered.get(dialogKey(pair));
      if (known !== undefined) dialogs.set(pairKey(pair), known);
      // Each way of its own: one of the two may be blocked.
      else unknown.set(pairKey(pair), pair);
    }
    if (unknown.size === 0) return dialogs;
    const found = await dialogsOf(this.options.database, [...unknown.values()]);
    const missing = [...unknown];
    for (let start = 0; start < missing.length; start += openedAtATime) {
      const some = missing.slice(start, start + openedAtATime).map(async ([key, pair]) => {
        try {
          const chatId = found.get(key) ?? (await this.openOne(pair));
          this.remember(dialogKey(pair), chatId);
          dialogs.set(key, chatId);
        } catch (error) {
          dialogs.set(key, error as Error);
        }
      });
      await Promise.all(some);
    }
    return dialogs;
  }

  private openOne({ userId, otherId }: Pair): Promise<number> {
    return this.options.chatWriter.change(undefined, async (changes) => {
      for (const id of [userId, otherId].sort((a, b) => a - b)) {
        if (!(await changes.holdAccount(id))) throw noSuchUser();
      }
      if (await blocks(otherId, userId, changes.transaction)) throw noSuchUser();
      return changes.openDialog(userId, otherId);
    });
  }

  private remember(key: string, chatId: number): void {
    this.remembered.set(key, chatId);
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > mostRemembered && oldest !== undefined) this.remembered.delete(oldest);
  }
}
