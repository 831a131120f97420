import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Two people, of whom the first acts on the second. */
export interface Pair {
  userId: number;
  otherId: number;
}

/** A pair as a key of a map. */
export const pairKey = ({ userId, otherId }: Pair): string => `${userId} ${otherId}`;

/** The dialog of a pair. It is empty before the first message is stored. */
export interface Dialog {
  chatId: number;
  isEmpty: boolean;
}

/** The dialogs that these pairs have, by `pairKey`. Index: chats_pair_unique. */
export async function dialogsOf(
  database: Database,
  pairs: readonly Pair[],
  transaction?: Transaction,
): Promise<Map<string, Dialog>> {
  const rows = await select<Pair & Dialog>(
    database,
    `SELECT DISTINCT pair.user_id AS "userId", pair.other_id AS "otherId", c.id AS "chatId",
            c.version = 0 AS "isEmpty"
       FROM unnest($userIds::bigint[], $otherIds::bigint[]) AS pair (user_id, other_id)
       JOIN chats AS c ON c.pair_low = LEAST(pair.user_id, pair.other_id)
                      AND c.pair_high = GREATEST(pair.user_id, pair.other_id)`,
    { userIds: pairs.map(({ userId }) => userId), otherIds: pairs.map(({ otherId }) => otherId) },
    transaction,
  );
  return new Map(rows.map((row) => [pairKey(row), row]));
}

/** Returns the dialog of two people, or of one person with themselves; creates it unless it exists. */
export async function findOrCreateDialog(
  database: Database,
  { userId, otherId }: Pair,
  transaction: Transaction,
): Promise<number> {
  const pair = { low: Math.min(userId, otherId), high: Math.max(userId, otherId) };
  // If another transaction is inserting the dialog, the insert waits for it but does not see its row: hence the select.
  const insert = `WITH dialog AS (
                         INSERT INTO chats (kind, pair_low, pair_high) VALUES ('dialog', $low, $high)
                    ON CONFLICT (pair_low, pair_high) DO NOTHING
                      RETURNING id
                       ), member AS (
                         INSERT INTO chat_members (user_id, chat_id)
                         SELECT DISTINCT unnest(ARRAY[$low, $high]::bigint[]), id FROM dialog
                       )
                  SELECT id FROM dialog`;
  const find = "SELECT id FROM chats WHERE pair_low = $low AND pair_high = $high";
  for (const sql of [insert, find]) {
    const [row] = await select<{ id: number }>(database, sql, pair, transaction);
    if (row) return row.id;
  }
  throw new Error("a dialog that could not be created cannot be found");
}

/** Returns the current versions of these chats; unknown chats are left out. */
export function chatVersions(
  database: Database,
  chatIds: readonly number[],
  transaction?: Transaction,
): Promise<{ chatId: number; version: number }[]> {
  const sql = `SELECT id AS "chatId", version FROM chats WHERE id = ANY ($chatIds::bigint[])`;
  return select(database, sql, { chatIds }, transaction);
}
