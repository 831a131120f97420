import type pg from "pg";
import { DatabaseError } from "sequelize";
import { noteFailure } from "./availability.ts";
import type { Database } from "./connect.ts";
import { observeQuery } from "./query-times.ts";

/** A statement that each connection prepares once, under this name. */
export interface PreparedStatement {
  name: string;
  text: string;
}

/**
 * Runs a very frequent statement as a prepared statement, on a connection of Sequelize's pool but without Sequelize, in
 * its own transaction.
 * @throws DatabaseError like queries of Sequelize
 */
export async function prepared<Row extends object>(
  database: Database,
  statement: PreparedStatement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { connectionManager } = database;
  const succeeded = observeQuery(database, statement.name);
  const connection = await connectionManager.getConnection({ type: "write" });
  const client = connection as pg.Client;
  try {
    const { rows } = await client.query<Row>({ ...statement, values: [...values] });
    succeeded?.();
    return rows;
  } catch (error) {
    // An error that does not come from the server: its response may still arrive, so the connection is closed.
    if (error instanceof Error && !("severity" in error)) void client.end().catch(() => {});
    const failure = new DatabaseError(Object.assign(error as Error, { sql: statement.name }));
    noteFailure(database, failure);
    throw failure;
  } finally {
    connectionManager.releaseConnection(connection);
  }
}
