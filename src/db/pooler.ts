import { randomUUID } from "node:crypto";
import pg from "pg";
import { ConnectionError } from "sequelize";
import { StartError } from "../errors.ts";

/**
 * What is between this process and PostgreSQL: nothing, or a pooler such as PgBouncer that gives each connection a
 * server session of its own (`session`), or one only for each transaction (`transaction`).
 */
export type Pooling = "none" | "session" | "transaction";

/** How long to wait for an answer of the pooler, in milliseconds. */
const answerTimeoutMs = 3000;

/** A pooler may hand out its sessions in turns: the same one is not returned at once. */
const rounds = 4;

/** What an administrator does about a pooler that cannot be used. Errors about one end with it. */
export const poolerFix =
  "Set pool_mode = session in PgBouncer, or use version 1.21 or newer with max_prepared_statements = 200.";

/**
 * Finds out how connections to this URL are pooled.
 * @throws StartError if the pooler cannot be used: it does not keep prepared statements
 * @throws ConnectionError if the database cannot be reached
 */
export async function findPooling(url: string): Promise<Pooling> {
  const clients: pg.Client[] = [];
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      connectionString: url,
      application_name: "messenger",
      connectionTimeoutMillis: 10_000,
      query_timeout: answerTimeoutMs,
    });
    client.on("error", () => {});
    clients.push(client);
    await client.connect();
    return client;
  };
  try {
    const one = await connect();
    // A pooler gives its own numbers to its clients.
    if ("processID" in one && one.processID === (await backendOf(one))) return "none";
    const other = await connect();
    if (await keepsSession(one, other)) return "session";
    if (await keepsStatements(one, other)) return "transaction";
    throw new StartError(
      `The database cannot be used: PgBouncer pools transactions (pool_mode = transaction) and does not keep prepared statements. ${poolerFix}`,
    );
  } catch (error) {
    throw error instanceof StartError ? error : new ConnectionError(error as Error);
  } finally {
    for (const client of clients) void client.end().catch(() => {});
  }
}

async function backendOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid;
}

/** Opens a transaction. @returns false if no session is free for it */
async function begin(client: pg.Client): Promise<boolean> {
  try {
    await client.query("BEGIN");
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (/statement pooling/i.test(error.message)) {
      throw new StartError(
        `The database cannot be used: PgBouncer pools statements (pool_mode = statement). ${poolerFix}`,
      );
    }
    if (/read timeout/i.test(error.message)) return false;
    throw error;
  }
}

/** Whether a connection keeps its session while another one has an open transaction. */
async function keepsSession(one: pg.Client, other: pg.Client): Promise<boolean> {
  const before = await backendOf(one);
  for (let round = 0; round < rounds; round++) {
    // In session mode a pool with a single session is occupied by the first connection.
    if (!(await begin(other))) return true;
    const taken = await backendOf(other);
    const now = await backendOf(one);
    await other.query("COMMIT");
    if (taken === before || now !== before) return false;
  }
  return true;
}

/** Whether a prepared statement can be executed wherever the next transaction runs. */
async function keepsStatements(one: pg.Client, other: pg.Client): Promise<boolean> {
  const name = `messenger_${randomUUID()}`;
  const execute = (client: pg.Client) => client.query({ name, text: "SELECT 1", values: [] });
  try {
    for (let round = 0; round < rounds; round++) {
      // In turns, the second of two goes to another session; otherwise to that of the other connection's transaction.
      await execute(one);
      await execute(one);
      await begin(other);
      await execute(other);
      await execute(one);
      await other.query("COMMIT");
    }
    return true;
  } catch (error) {
    // The statement does not exist, or exists already.
    if (error instanceof Error && "code" in error && /^(26000|42P05|08P01)$/.test(String(error.code))) return false;
    throw error;
  }
}
