import pg from "pg";
import { parse } from "pg-connection-string";
import type { Options } from "sequelize";
import { Sequelize } from "sequelize-typescript";
import type { Logger } from "../logger.ts";
import { models } from "../models/index.ts";

export type Database = Sequelize;

/** In milliseconds. */
export interface DatabaseTimeouts {
  /** For one statement. */
  statementMs: number;
  /** For a statement to wait for a lock. */
  lockMs: number;
  /** To wait for a connection of the pool. */
  acquireMs: number;
}

/** After this time the server ends a session that is idle in a transaction, and with it the locks it holds. */
const idleInTransactionTimeoutMs = 10_000;

/** Extra time for the server to report a statement timeout, in milliseconds. */
const serverGraceMs = 3000;

/**
 * Session settings that the code relies on, set on each connection whatever the defaults of the database, the role or the
 * server are.
 */
const sessionSettings = [
  "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  "SET TimeZone = 'UTC'",
  "SET bytea_output = 'hex'",
  "SET extra_float_digits = 1",
  "SET standard_conforming_strings = on",
].join("; ");

// Ids, seqs and versions are int8, which the driver returns as text. All of them stay below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** The Sequelize options for a connection URL, which may contain `?host=/folder/of/a/socket` and `?sslmode=`. */
export function connectionOptions(url: string): Options {
  const { host, port, database, user, password, ssl } = parse(url);
  return {
    dialect: "postgres",
    dialectModule: pg,
    logging: false,
    ...(host && { host }),
    ...(port && { port: Number(port) }),
    ...(database && { database }),
    ...(user && { username: user }),
    ...(password && { password }),
    ...(ssl && { dialectOptions: { ssl } }),
  };
}

/** A pool whose connections are never closed for being idle: a new connection has no prepared statements. */
const persistentPool = (size: number, acquireMs: number) => ({
  max: size,
  min: 1,
  idle: 2 ** 31 - 1,
  evict: 2 ** 31 - 1,
  acquire: acquireMs,
});

/**
 * Creates the connection pool and registers the models. Opens no connection yet.
 * @param options.embedded whether the URL points to PGlite, which has a single session: the pool has one connection,
 *   and prepared statements of an earlier connection are deallocated first, because their names would collide
 */
export function connect(options: {
  url: string;
  embedded: boolean;
  poolSize: number;
  timeouts: DatabaseTimeouts;
  log: Logger;
}): Database {
  const { url, embedded, poolSize, timeouts, log } = options;
  const base = connectionOptions(url);
  const database = new Sequelize({
    ...base,
    dialectOptions: {
      ...base.dialectOptions,
      keepAlive: true,
      application_name: "messenger",
      // The server cancels a slow statement; if it does not respond, the client closes the connection a little later.
      statement_timeout: timeouts.statementMs,
      query_timeout: timeouts.statementMs + serverGraceMs,
      lock_timeout: timeouts.lockMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    },
    pool: persistentPool(embedded ? 1 : poolSize, timeouts.acquireMs),
    hooks: {
      async afterConnect(connection) {
        const client = connection as pg.Client;
        client.on("error", (error) => log.warn({ err: error }, "a database connection was lost"));
        await client.query(embedded ? `DEALLOCATE ALL; ${sessionSettings}` : sessionSettings);
      },
    },
    models,
  });
  return database;
}

/** One connection without timeouts, for migrations: waiting for their lock and building an index can take long. */
export function connectForMigrations(url: string): Sequelize {
  return new Sequelize({
    ...connectionOptions(url),
    pool: persistentPool(1, 3_600_000),
    hooks: { afterConnect: async (connection) => void (await (connection as pg.Client).query(sessionSettings)) },
  });
}

/** Whether the database answers a query now. */
export const isResponding = (database: Database): Promise<boolean> =>
  database.query("SELECT 1").then(
    () => true,
    () => false,
  );
