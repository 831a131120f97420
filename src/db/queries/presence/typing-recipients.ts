import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { eitherBlocks, isBlockedBy } from "../people/blocked-people.ts";

/** The members of a chat who are notified that one of them is typing. */
export interface TypingRecipients {
  /** The number of members of the chat, counted up to `maxMembers`. */
  size: number;
  /** The other members, without those who block the user or whom the user blocks. */
  recipientIds: number[];
  /** Whether the other person blocks the user, in a dialog. */
  blocked: boolean;
}

/** Selects the recipients for one member of a chat, among at most `maxMembers` members; undefined for non-members. */
export async function typingRecipients(
  database: Database,
  who: { chatId: number; userId: number; maxMembers: number },
): Promise<TypingRecipients | undefined> {
  const rows = await select<TypingRecipients>(
    database,
    `SELECT others.size, others."recipientIds",
            ${isBlockedBy("member.user_id", "c.pair_low + c.pair_high - member.user_id")} AS blocked
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
 CROSS JOIN LATERAL (SELECT count(*) AS size,
                            COALESCE(json_agg(members.user_id) FILTER (
                              WHERE members.user_id <> $userId AND NOT ${eitherBlocks("members.user_id", "$userId")}
                            ), '[]') AS "recipientIds"
                       FROM (SELECT user_id FROM chat_members
                              WHERE chat_id = c.id ORDER BY user_id LIMIT $maxMembers) AS members) AS others
      WHERE c.id = $chatId AND c.deleted_at IS NULL AND c.version > 0`,
    who,
  );
  return rows[0];
}
