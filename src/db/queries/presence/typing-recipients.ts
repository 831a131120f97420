import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { eitherBlocks } from "../people/blocked-people.ts";

/** Who would see somebody type. */
export interface TypingRecipients {
  /** How many there are, counted up to `mostMembers`. */
  size: number;
  /** The others of them, without whom one blocks and by whom one is blocked. */
  recipientIds: number[];
  /** In a dialog: whether the other side blocks the one who types. */
  blocked: boolean;
}

/** The scene for one member of a chat, at most `mostMembers` of it; undefined for who is not in the chat. */
export async function typingRecipients(
  database: Database,
  who: { chatId: number; userId: number; mostMembers: number },
): Promise<TypingRecipients | undefined> {
  const rows = await select<TypingRecipients>(
    database,
    `SELECT scene.size, scene."recipientIds",
            EXISTS (SELECT 1 FROM blocks
                     WHERE user_id = c.pair_low + c.pair_high - member.user_id AND blocked_id = member.user_id) AS blocked
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
 CROSS JOIN LATERAL (SELECT count(*) AS size,
                            COALESCE(json_agg(crowd.user_id) FILTER (
                              WHERE crowd.user_id <> $userId AND NOT ${eitherBlocks("crowd.user_id", "$userId")}
                            ), '[]') AS "recipientIds"
                       FROM (SELECT user_id FROM chat_members
                              WHERE chat_id = c.id ORDER BY user_id LIMIT $mostMembers) AS crowd) AS scene
      WHERE c.id = $chatId AND c.deleted_at IS NULL AND c.version > 0`,
    who,
  );
  return rows[0];
}
