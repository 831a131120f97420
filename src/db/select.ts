import { QueryTypes, type Transaction } from "sequelize";
import type { Database } from "./connect.ts";

/** Runs one statement with bound values, in the given transaction if any. The caller declares the type of the rows. */
export function select<Row extends object>(
  database: Database,
  sql: string,
  bind: Record<string, unknown>,
  transaction?: Transaction,
): Promise<Row[]> {
  return database.query<Row>(sql, { bind, type: QueryTypes.SELECT, ...(transaction && { transaction }) });
}
