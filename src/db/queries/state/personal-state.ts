import type { Transaction } from "sequelize";
import type { StateValue } from "../../../domain/personal-state.ts";
import type { Database } from "../../connect.ts";
import { prepared } from "../../prepared.ts";
import { select } from "../../select.ts";

/** A key as it is stored. */
export interface StoredKey {
  version: number;
  isRemoved: boolean;
  /** Whether it has the given value. */
  isSame: boolean;
}

/** Returns a key; undefined if it was never set, or that is forgotten. Index: the primary key. */
export async function storedKey(
  database: Database,
  { userId, key, json }: { userId: number; key: string; json: string | null },
  transaction: Transaction,
): Promise<StoredKey | undefined> {
  const [row] = await select<StoredKey>(
    database,
    `SELECT version, value IS NULL AS "isRemoved", value IS NOT DISTINCT FROM $json::jsonb AS "isSame"
       FROM user_state
      WHERE user_id = $userId AND key = $key`,
    { userId, key, json },
    transaction,
  );
  return row;
}

/** The number of keys that have a value. Index: the primary key. */
export async function countKeys(database: Database, userId: number, transaction: Transaction): Promise<number> {
  const [row] = await select<{ count: number }>(
    database,
    "SELECT count(*) AS count FROM user_state WHERE user_id = $userId AND value IS NOT NULL",
    { userId },
    transaction,
  );
  return row?.count ?? 0;
}

/** Sets or removes a key of a locked state. @returns the version of the change */
export async function writeKey(
  database: Database,
  entry: { userId: number; key: string; json: string | null; bytes: number },
  transaction: Transaction,
): Promise<number> {
  const [row] = await select<{ version: number }>(
    database,
    `WITH person AS (
            UPDATE users SET state_version = state_version + 1 WHERE id = $userId RETURNING state_version
          )
     INSERT INTO user_state AS entry (user_id, key, value, bytes, version)
     SELECT $userId, $key, $json::jsonb, $bytes, person.state_version FROM person
         ON CONFLICT (user_id, key) DO UPDATE
        SET value = EXCLUDED.value, bytes = EXCLUDED.bytes, version = EXCLUDED.version, changed_at = clock_timestamp()
  RETURNING entry.version`,
    entry,
    transaction,
  );
  if (!row) throw new Error("the account is not locked");
  return row.version;
}

/** The keys that have changed since a version. */
export interface StateDifference {
  /** That of the last entry, or the current one if none is missing. */
  version: number;
  /** In order of their versions; null for a removed key. */
  entries: [key: string, value: StateValue][];
  /** The client has to forget the keys that it knows. */
  isReset: boolean;
  /** Whether there are more than fit. */
  hasMore: boolean;
}

/*
 * One statement, so everything is read at one moment. The sizes are read in the order of user_state_version_unique; of the
 * values, only those that fit.
 */
const differenceStatement = {
  name: "sync_state",
  text: `
       WITH person AS MATERIALIZED (
              SELECT state_version,
                     $2 < state_pruned_version OR $2 > state_version OR COALESCE($3 <> server_epoch(), false) AS is_reset
                FROM users
               WHERE id = $1
            )
     SELECT person.state_version AS "stateVersion", person.is_reset AS "isReset", entry.*
       FROM person
  LEFT JOIN LATERAL (
              SELECT key, value, version, bytes_before + bytes > $4 AS "isTooMuch"
                FROM (SELECT key, value, version, bytes,
                             sum(bytes) OVER (ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - bytes
                               AS bytes_before
                        FROM user_state
                       WHERE user_id = $1 AND version > CASE WHEN person.is_reset THEN 0 ELSE $2::bigint END
                       ORDER BY version) AS sized
               WHERE bytes_before < $4) AS entry ON true
      ORDER BY entry.version`,
};

interface DifferenceRow {
  stateVersion: number;
  isReset: boolean;
  key: string | null;
  value: StateValue;
  version: number;
  isTooMuch: boolean;
}

/**
 * Returns what has changed in the state of a user since a version, or all of it if the client knows another history, or a
 * version of which removed keys are forgotten.
 * @param known.bytes how much fits; at least one entry is returned
 */
export async function stateDifference(
  database: Database,
  known: { userId: number; stateVersion: number; epoch: string | undefined; bytes: number },
): Promise<StateDifference> {
  const { userId, stateVersion, epoch, bytes } = known;
  const rows = await prepared<DifferenceRow>(database, differenceStatement, [
    userId,
    stateVersion,
    epoch ?? null,
    bytes,
  ]);
  const [first] = rows;
  if (!first) throw new Error("the account does not exist");
  const all = rows.filter(({ key }) => key !== null);
  const fitting = all.filter(({ isTooMuch }, index) => index === 0 || !isTooMuch);
  // The last one that was read may not fit.
  const last = all.length > 0 ? fitting.at(-1) : undefined;
  const isComplete = last === undefined || (fitting.length === all.length && last.version === first.stateVersion);
  return {
    version: last && !isComplete ? last.version : first.stateVersion,
    entries: fitting.map(({ key, value }) => [key ?? "", value ?? null]),
    isReset: first.isReset,
    hasMore: !isComplete,
  };
}
