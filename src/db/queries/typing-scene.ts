import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/** Who would see somebody type. */
export interface TypingScene {
  memberIds: number[];
  /** In a dialog: whether the other side blocks the one who types. */
  blocked: boolean;
}

/** The scene for one member of a chat, at most `mostMembers` of it; undefined for who is not in the chat. */
export async function typingScene(
  database: Database,
  who: { chatId: number; userId: number; mostMembers: number },
): Promise<TypingScene | undefined> {
  const rows = await select<TypingScene>(
    database,
    `SELECT to_json(ARRAY(SELECT user_id FROM chat_members WHERE chat_id = c.id ORDER BY user_id LIMIT $mostMembers))
              AS "memberIds",
            EXISTS (SELECT 1 FROM blocks
                     WHERE user_id = c.pair_low + c.pair_high - member.user_id AND blocked_id = member.user_id) AS blocked
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
      WHERE c.id = $chatId AND c.deleted_at IS NULL AND c.version > 0`,
    who,
  );
  return rows[0];
}
