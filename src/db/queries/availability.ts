import type { Sequelize } from "sequelize";
import type { SelectRows } from "../select-rows.ts";

/** The beginning of every reason that `readOnlyReason` returns. */
export const readOnlyPrefix = "the database is read-only";

/** Returns why the database cannot be written, or undefined if it can. */
export async function readOnlyReason(selectRows: SelectRows): Promise<string | undefined> {
  const [row] = await selectRows<{ isStandby: boolean; isReadOnly: boolean }>(
    `SELECT pg_is_in_recovery() AS "isStandby", current_setting('transaction_read_only') = 'on' AS "isReadOnly"`,
  );
  if (row?.isStandby) return `${readOnlyPrefix}: it is a standby`;
  return row?.isReadOnly ? readOnlyPrefix : undefined;
}

/**
 * Writes one MiB to the disk of the database, where a full disk is noticed, and removes it again. A temporary table does
 * not touch the write-ahead log, of which some is allocated in advance.
 */
export const writeToDisk = (database: Sequelize): Promise<unknown> =>
  database.query(
    `CREATE TEMPORARY TABLE messenger_disk_check ON COMMIT DROP AS
     SELECT repeat(md5(n::text), 50) AS filler FROM generate_series(1, 640) AS n`,
  );
