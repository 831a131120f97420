import type { Transaction } from "sequelize";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/** Two people, the first of whom does something to the second. */
export interface Pair {
  userId: number;
  otherId: number;
}

/** A pair as a key of a map. */
export const pairKey = ({ userId, otherId }: Pair): string => `${userId} ${otherId}`;

const columnsOf = (pairs: readonly Pair[]) => ({
  userIds: pairs.map(({ userId }) => userId),
  otherIds: pairs.map(({ otherId }) => otherId),
});

/** The dialogs that these pairs have. Index: chats_pair_unique. */
export async function dialogIds(database: Database, pairs: readonly Pair[]): Promise<Map<string, number>> {
  if (pairs.length === 0) return new Map();
  const rows = await select<Pair & { chatId: number }>(
    database,
    `SELECT DISTINCT pair.user_id AS "userId", pair.other_id AS "otherId", c.id AS "chatId"
       FROM unnest($userIds::bigint[], $otherIds::bigint[]) AS pair (user_id, other_id)
       JOIN chats AS c ON c.pair_low = LEAST(pair.user_id, pair.other_id)
                      AND c.pair_high = GREATEST(pair.user_id, pair.other_id)`,
    columnsOf(pairs),
  );
  return new Map(rows.map((row) => [pairKey(row), row.chatId]));
}

/** Of these pairs those whose first blocks the second. Index: the primary key of blocks. */
export async function blockedPairs(
  database: Database,
  pairs: readonly Pair[],
  transaction: Transaction,
): Promise<Set<string>> {
  if (pairs.length === 0) return new Set();
  const rows = await select<Pair>(
    database,
    `SELECT b.user_id AS "userId", b.blocked_id AS "otherId"
       FROM unnest($userIds::bigint[], $otherIds::bigint[]) AS pair (user_id, other_id)
       JOIN blocks AS b ON b.user_id = pair.user_id AND b.blocked_id = pair.other_id`,
    columnsOf(pairs),
    transaction,
  );
  return new Set(rows.map(pairKey));
}

/** The chats of these messages, as far as there are such messages. */
export async function chatsOfMessages(
  database: Database,
  messageIds: readonly number[],
  transaction: Transaction,
): Promise<Map<number, number>> {
  if (messageIds.length === 0) return new Map();
  const rows = await select<{ id: number; chatId: number }>(
    database,
    `SELECT id, chat_id AS "chatId" FROM messages WHERE id = ANY ($messageIds::bigint[])`,
    { messageIds },
    transaction,
  );
  return new Map(rows.map(({ id, chatId }) => [id, chatId]));
}

/** Of these chats those that have not ended. */
export async function livingChats(
  database: Database,
  chatIds: readonly number[],
  transaction: Transaction,
): Promise<Set<number>> {
  if (chatIds.length === 0) return new Set();
  const rows = await select<{ id: number }>(
    database,
    "SELECT id FROM chats WHERE id = ANY ($chatIds::bigint[]) AND deleted_at IS NULL",
    { chatIds },
    transaction,
  );
  return new Set(rows.map(({ id }) => id));
}
