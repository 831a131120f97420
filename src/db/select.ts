import { QueryTypes, type Transaction } from "sequelize";
import type { Database } from "./connect.ts";

/** The rows of one bound statement, typed by the caller; within a transaction where one is given. */
export function select<Row extends object>(
  database: Database,
  sql: string,
  bind: Record<string, unknown>,
  transaction?: Transaction,
): Promise<Row[]> {
  return database.query<Row>(sql, { bind, type: QueryTypes.SELECT, ...(transaction && { transaction }) });
}
