import type { Database } from "../../db/connect.ts";
import { lockAccountForChange } from "../../db/queries/accounts/account-locks.ts";
import { memberState } from "../../db/queries/chats/member-state.ts";
import { forgetRemovedKeys, someUserWithRemovedKeys } from "../../db/queries/state/forgotten-keys.ts";
import { countKeys, storedKey, writeKey } from "../../db/queries/state/personal-state.ts";
import type { Delivery } from "../../delivery/delivery.ts";
import type { Actor } from "../../domain/actor.ts";
import type { StateEntry } from "../../domain/personal-state.ts";
import { notInChat } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import { notLoggedIn } from "../accounts/tokens.ts";

/** Keys of one user that have a value. */
const maxKeys = 5000;
/** A removed key is forgotten after this time: 90 days, in milliseconds. */
const removedKeyLifetimeMs = 90 * 24 * 60 * 60_000;
/** What an entry of a `sync` answer has beside key and value, in bytes. */
const entryBytes = 8;

/**
 * What belongs to a person and not to a chat: muted, archived and pinned chats, drafts, preferences. The changes of one user
 * are numbered, so that each device gets all of them.
 */
export class PersonalState {
  constructor(private readonly options: { database: Database; delivery: Delivery }) {}

  /**
   * Sets a key, or removes it. Stores nothing if it is so already.
   * @param entry.json the value as JSON; null removes the key
   * @param entry.chatId the chat to which the key belongs
   * @throws AppError of kind "notMember" if the user is not in that chat
   */
  async set(by: Actor, entry: { key: string; json: string | null; chatId?: number | undefined }): Promise<StateEntry> {
    const { database, delivery } = this.options;
    const { userId } = by;
    const { key, json, chatId } = entry;
    if (chatId !== undefined && !(await memberState(database, { chatId, userId }))) throw notInChat();
    const bytes = key.length + Buffer.byteLength(json ?? "null") + entryBytes;
    const { stateVersion, isChanged } = await database.transaction(async (transaction) => {
      if (!(await lockAccountForChange(database, userId, transaction))) throw notLoggedIn(userId);
      const stored = await storedKey(database, { userId, key, json }, transaction);
      if (stored?.isSame || (!stored && json === null)) {
        return { stateVersion: stored?.version ?? 0, isChanged: false };
      }
      const isAdded = !stored || stored.isRemoved;
      if (isAdded && (await countKeys(database, userId, transaction)) >= maxKeys) {
        throw new AppError("limit", `You have ${maxKeys} keys already`);
      }
      return { stateVersion: await writeKey(database, { userId, key, json, bytes }, transaction), isChanged: true };
    });
    const item = { stateVersion, key, value: json === null ? null : JSON.parse(json) };
    if (isChanged) {
      delivery.publishSignal({ kind: "state", item, recipientIds: [userId], requester: by.requester });
    }
    return item;
  }

  /**
   * Forgets the keys that one user removed long ago.
   * @returns whether there may be more
   */
  async forgetSome(): Promise<boolean> {
    const { database } = this.options;
    const removedForMs = removedKeyLifetimeMs;
    const userId = await someUserWithRemovedKeys(database, removedForMs);
    if (userId === undefined) return false;
    await database.transaction(async (transaction) => {
      await lockAccountForChange(database, userId, transaction);
      await forgetRemovedKeys(database, { userId, removedForMs }, transaction);
    });
    return true;
  }
}
