import { QueryTypes, type Transaction } from "sequelize";
import type { Database } from "./connect.ts";
import type { SelectRows } from "./select-rows.ts";

/** Runs statements on any connection of the pool, or on that of a transaction. */
export const selectOn =
  (database: Database, transaction?: Transaction): SelectRows =>
  (sql) =>
    select(database, sql, {}, transaction);

/** Runs one statement with bound values, in the given transaction if any. The caller declares the type of the rows. */
export function select<Row extends object>(
  database: Database,
  sql: string,
  bind: Record<string, unknown>,
  transaction?: Transaction,
): Promise<Row[]> {
  return database.query<Row>(sql, { bind, type: QueryTypes.SELECT, ...(transaction && { transaction }) });
}
