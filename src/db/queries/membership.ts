import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/** What a person may read of a chat: everything after `clearedSeq`. */
export interface View {
  chatId: number;
  lastSeq: number;
  clearedSeq: number;
}

const viewColumns = `c.id AS "chatId", c.last_seq AS "lastSeq", member.cleared_seq AS "clearedSeq"`;

/** The chat, of whatever kind, as its member sees it; undefined for everyone else. */
export async function chatView(database: Database, who: { chatId: number; userId: number }): Promise<View | undefined> {
  const rows = await select<View>(
    database,
    `SELECT ${viewColumns}
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
      WHERE c.id = $chatId AND c.deleted_at IS NULL`,
    who,
  );
  return rows[0];
}

/** The group as its member sees it; undefined for strangers, for those who left and where there is no such group. */
export async function groupView(
  database: Database,
  who: { groupId: number; userId: number },
): Promise<View | undefined> {
  const rows = await select<View>(
    database,
    `SELECT ${viewColumns}
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
      WHERE c.id = $groupId AND c.kind = 'group' AND c.deleted_at IS NULL`,
    who,
  );
  return rows[0];
}

/** The dialog of two people as the first sees it; undefined before its first message. Index: chats_pair_unique. */
export async function dialogView(
  database: Database,
  who: { userId: number; otherId: number },
): Promise<View | undefined> {
  const rows = await select<View>(
    database,
    `SELECT ${viewColumns}
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
      WHERE c.pair_low = LEAST($userId::bigint, $otherId::bigint)
        AND c.pair_high = GREATEST($userId::bigint, $otherId::bigint)`,
    who,
  );
  return rows[0];
}

/** Everyone who is in the chat now. Index: chat_members_of_chat. */
export async function memberIds(database: Database, chatId: number): Promise<number[]> {
  const rows = await select<{ userId: number }>(
    database,
    `SELECT user_id AS "userId" FROM chat_members WHERE chat_id = $chatId ORDER BY user_id`,
    { chatId },
  );
  return rows.map(({ userId }) => userId);
}

/** Waits until whoever holds the chat's row lock has committed or given up. */
export async function settledChat(database: Database, chatId: number): Promise<void> {
  await select(database, "SELECT 1 FROM chats WHERE id = $chatId FOR SHARE", { chatId });
}
