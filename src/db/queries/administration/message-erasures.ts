import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Records that all messages of a deleted account are to be deleted. */
export async function requestErasure(database: Database, userId: number, transaction: Transaction): Promise<void> {
  await select(
    database,
    "INSERT INTO message_erasures (user_id) VALUES ($userId) ON CONFLICT DO NOTHING",
    { userId },
    transaction,
  );
}

/** Returns the account whose messages have waited longest to be deleted, if there is one. */
export async function someErasure(database: Database): Promise<number | undefined> {
  const [row] = await select<{ userId: number }>(
    database,
    `SELECT user_id AS "userId" FROM message_erasures ORDER BY requested_at, user_id LIMIT 1`,
    {},
  );
  return row?.userId;
}

/**
 * Returns messages of a user that are not deleted, the oldest first. Those of ended groups are left out: nobody can read
 * them, and they are purged with their group. Index: messages_of_sender.
 */
export function messagesToErase(
  database: Database,
  { userId, limit }: { userId: number; limit: number },
): Promise<{ id: number; chatId: number }[]> {
  return select(
    database,
    `SELECT m.id, m.chat_id AS "chatId"
       FROM messages AS m
       JOIN chats AS c ON c.id = m.chat_id
      WHERE m.sender_id = $userId AND m.event IS NULL AND m.deleted_at IS NULL AND c.deleted_at IS NULL
      ORDER BY m.id
      LIMIT $limit`,
    { userId, limit },
  );
}

/** Records that nothing is left to delete. */
export async function endErasure(database: Database, userId: number): Promise<void> {
  await select(database, "DELETE FROM message_erasures WHERE user_id = $userId", { userId });
}
