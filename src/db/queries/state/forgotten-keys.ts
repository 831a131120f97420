import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Returns a user who has removed a key so long ago; undefined if there is none. Index: user_state_removed. */
export async function someUserWithRemovedKeys(database: Database, removedForMs: number): Promise<number | undefined> {
  const [row] = await select<{ userId: number }>(
    database,
    `SELECT user_id AS "userId"
       FROM user_state
      WHERE value IS NULL AND changed_at < now() - make_interval(secs => $removedForMs / 1000.0)
      ORDER BY changed_at
      LIMIT 1`,
    { removedForMs },
  );
  return row?.userId;
}

/**
 * Forgets the removed keys of a locked state. Older keys get new versions: so a client that reads everything anew, in
 * several answers, is never behind what is forgotten.
 */
export async function forgetRemovedKeys(
  database: Database,
  { userId, removedForMs }: { userId: number; removedForMs: number },
  transaction: Transaction,
): Promise<void> {
  const removed = await select<{ version: number }>(
    database,
    `DELETE FROM user_state
      WHERE user_id = $userId AND value IS NULL
        AND changed_at < now() - make_interval(secs => $removedForMs / 1000.0)
  RETURNING version`,
    { userId, removedForMs },
    transaction,
  );
  const prunedVersion = removed.reduce((newest, { version }) => Math.max(newest, version), 0);
  await select(
    database,
    `WITH older AS (
            SELECT key, row_number() OVER (ORDER BY version) AS place
              FROM user_state
             WHERE user_id = $userId AND version < $prunedVersion
          ), person AS (
            UPDATE users
               SET state_pruned_version = GREATEST(state_pruned_version, $prunedVersion),
                   state_version = state_version + (SELECT count(*) FROM older)
             WHERE id = $userId
         RETURNING state_version - (SELECT count(*) FROM older) AS version_before
          )
     UPDATE user_state AS entry
        SET version = person.version_before + older.place
       FROM older, person
      WHERE entry.user_id = $userId AND entry.key = older.key`,
    { userId, prunedVersion },
    transaction,
  );
}
