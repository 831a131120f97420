import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { isBlockedBy } from "./blocked-people.ts";

/** More people than this are not notified. */
const maxContacts = 10_000;

/**
 * Returns the ids of the users who share a chat with a user, without those who block the user or whom the user blocks.
 * Two conditions instead of one with OR, and `$userId` in both: only then are they anti joins, which read the blocks once.
 * Indexes: the primary keys of chat_members, chats and blocks, chat_members_of_chat.
 */
export async function contactsOf(database: Database, userId: number): Promise<number[]> {
  const rows = await select<{ userId: number }>(
    database,
    `SELECT DISTINCT other.user_id AS "userId"
       FROM chat_members AS mine
       JOIN chats AS c ON c.id = mine.chat_id AND c.version > 0
       JOIN chat_members AS other ON other.chat_id = mine.chat_id AND other.user_id <> $userId
      WHERE mine.user_id = $userId
        AND NOT ${isBlockedBy("$userId", "other.user_id")} AND NOT ${isBlockedBy("other.user_id", "$userId")}
      LIMIT $maxContacts`,
    { userId, maxContacts },
  );
  return rows.map((row) => row.userId);
}
