import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { isBlockedBy } from "./blocked-people.ts";

/** How many chats are searched, those with the latest messages, and how many members of them are read. */
const maxChats = 1000;
const maxMembers = 10_000;

/**
 * Returns the ids of users who share a chat with a user, without those who block the user or whom the user blocks. Of
 * large chats the members that exceed a limit are left out. Two conditions instead of one with OR, and `$userId` in both:
 * only then are they anti joins, which read the blocks once. Indexes: the primary keys of chat_members, chats and blocks,
 * chat_members_of_chat.
 */
export async function contactsOf(database: Database, userId: number): Promise<number[]> {
  const rows = await select<{ userId: number }>(
    database,
    `SELECT contact.user_id AS "userId"
       FROM (SELECT DISTINCT member.user_id
               FROM (SELECT other.user_id
                       FROM (SELECT c.id
                               FROM chat_members AS mine
                               JOIN chats AS c ON c.id = mine.chat_id AND c.version > 0
                              WHERE mine.user_id = $userId
                              ORDER BY c.last_message_id DESC NULLS LAST
                              LIMIT $maxChats) AS recent
                 CROSS JOIN LATERAL (SELECT user_id FROM chat_members WHERE chat_id = recent.id LIMIT $maxMembers) AS other
                      LIMIT $maxMembers) AS member) AS contact
      WHERE contact.user_id <> $userId
        AND NOT ${isBlockedBy("$userId", "contact.user_id")} AND NOT ${isBlockedBy("contact.user_id", "$userId")}
      ORDER BY contact.user_id`,
    { userId, maxChats, maxMembers },
  );
  return rows.map((row) => row.userId);
}
