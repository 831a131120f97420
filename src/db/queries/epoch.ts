import type { Transaction } from "sequelize";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/** Returns the epoch of the database; see the function `server_epoch`. */
export async function readEpoch(database: Database): Promise<string> {
  const [row] = await select<{ epoch: string }>(database, "SELECT server_epoch() AS epoch", {});
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
export async function renewEpoch(database: Database, transaction: Transaction): Promise<void> {
  await select(database, "UPDATE server_state SET epoch = gen_random_uuid()::text", {}, transaction);
}
