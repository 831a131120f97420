import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/* A table marks a database as half restored: it is created before anything else is changed, and dropped last. */

export const markTable = "unfinished_restore";

export async function isHalfRestored(database: Database, transaction?: Transaction): Promise<boolean> {
  const [found] = await select<{ isMarked: boolean }>(
    database,
    `SELECT to_regclass('${markTable}') IS NOT NULL AS "isMarked"`,
    {},
    transaction,
  );
  return found?.isMarked ?? false;
}

export async function markHalfRestored(database: Database): Promise<void> {
  await database.query(
    `CREATE TABLE IF NOT EXISTS ${markTable} (started_at timestamptz PRIMARY KEY DEFAULT clock_timestamp())`,
  );
}

export async function unmarkHalfRestored(database: Database): Promise<void> {
  await database.query(`DROP TABLE ${markTable}`);
}
