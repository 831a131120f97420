import type pg from "pg";
import { DatabaseError } from "sequelize";
import type { Database } from "./connect.ts";

/** A statement that each connection parses and plans once, under this name. */
export interface PreparedStatement {
  name: string;
  text: string;
}

/**
 * The rows of a statement that runs very often: prepared, and past Sequelize, on a connection of its pool. In a
 * transaction of its own.
 * @throws DatabaseError as Sequelize's own queries do
 */
export async function prepared<Row extends object>(
  database: Database,
  statement: PreparedStatement,
  values: readonly unknown[],
): Promise<Row[]> {
  const { connectionManager } = database;
  const connection = await connectionManager.getConnection({ type: "write" });
  const client = connection as pg.Client;
  try {
    const { rows } = await client.query<Row>({ ...statement, values: [...values] });
    return rows;
  } catch (error) {
    // Without a code of SQL the server did not answer, and may yet: the connection is of no more use.
    if (error instanceof Error && !("severity" in error)) void client.end().catch(() => {});
    throw new DatabaseError(Object.assign(error as Error, { sql: statement.name }));
  } finally {
    connectionManager.releaseConnection(connection);
  }
}
