import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Two people, the first of whom does something to the second. */
export interface Pair {
  userId: number;
  otherId: number;
}

/** A pair as a key of a map. */
export const pairKey = ({ userId, otherId }: Pair): string => `${userId} ${otherId}`;

/** The dialogs that these pairs have. Index: chats_pair_unique. */
export async function dialogsOf(database: Database, pairs: readonly Pair[]): Promise<Map<string, number>> {
  const rows = await select<Pair & { chatId: number }>(
    database,
    `SELECT DISTINCT pair.user_id AS "userId", pair.other_id AS "otherId", c.id AS "chatId"
       FROM unnest($userIds::bigint[], $otherIds::bigint[]) AS pair (user_id, other_id)
       JOIN chats AS c ON c.pair_low = LEAST(pair.user_id, pair.other_id)
                      AND c.pair_high = GREATEST(pair.user_id, pair.other_id)`,
    { userIds: pairs.map(({ userId }) => userId), otherIds: pairs.map(({ otherId }) => otherId) },
  );
  return new Map(rows.map((row) => [pairKey(row), row.chatId]));
}

/** How far these chats are, as far as there are such chats. */
export function chatVersions(
  database: Database,
  chatIds: readonly number[],
): Promise<{ chatId: number; version: number }[]> {
  return select(database, `SELECT id AS "chatId", version FROM chats WHERE id = ANY ($chatIds::bigint[])`, { chatIds });
}
