import type { Transaction } from "sequelize";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";
import type { SelectRows } from "../select-rows.ts";

/** Returns the epoch of the database; see the function `server_epoch`. */
export async function readEpoch(selectRows: SelectRows): Promise<string> {
  const [row] = await selectRows<{ epoch: string }>("SELECT server_epoch() AS epoch");
  if (!row) throw new Error("the database has no epoch");
  return row.epoch;
}

/**
 * Starts a new epoch if the files of an embedded database are not those of its last start: they were copied back.
 * @param files identifies the files
 */
export async function renewEpochOfCopy(database: Database, files: string): Promise<void> {
  await select(
    database,
    `UPDATE server_state
        SET epoch = CASE WHEN embedded_files IS NULL THEN epoch ELSE gen_random_uuid()::text END,
            embedded_files = $files
      WHERE embedded_files IS DISTINCT FROM $files`,
    { files },
  );
}

/** Starts a new epoch: clients that know another one forget what they have. */
export async function renewEpoch(database: Database, transaction?: Transaction): Promise<void> {
  await select(database, "UPDATE server_state SET epoch = gen_random_uuid()::text", {}, transaction);
}

/**
 * How far ids are raised in a new epoch. More than a messenger assigns between a backup and its restore: 1000 million are
 * 10,000 messages a second for 27 hours. Ids stay below 2^53 for nine million epochs.
 */
export const idGap = 1_000_000_000;

/**
 * Raises the sequences of all ids if the epoch has changed since they were last raised, so that no id of the lost history
 * is used again: clients may still send requests that name one. Sequences narrower than bigint are raised by a thousandth
 * of what is left. Sequences that were never used are left alone.
 */
export async function raiseIdsOfNewEpoch(selectRows: SelectRows): Promise<void> {
  await selectRows(
    `WITH changed AS (
            UPDATE server_state SET ids_epoch = server_epoch()
             WHERE ids_epoch IS DISTINCT FROM server_epoch()
         RETURNING id
          ), used AS (
            SELECT s.seqrelid, s.seqmax, pg_sequence_last_value(s.seqrelid) AS last
              FROM pg_sequence AS s
              JOIN pg_class AS c ON c.oid = s.seqrelid
              JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema()
          )
     SELECT setval(used.seqrelid::regclass, used.last + LEAST(${idGap}, (used.seqmax - used.last) / 1000))
       FROM changed, used
      WHERE used.last IS NOT NULL`,
  );
}
