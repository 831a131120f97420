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

/** How long after a statement should have ended its server counts as silent. */
const silenceMs = 3000;

// Ids, seqs and versions are int8, which the driver gives as text; all of ours stay below 2^53. Once, here.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Where the database is, in the words of Sequelize; understands `?host=/folder/of/a/socket` and `?sslmode=`. */
export function address(url: string): Options {
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

/** A pool of `size` connections that are never closed for being idle: reconnecting drops what the server prepared. */
const lastingPool = (size: number, acquireMs: number) => ({
  max: size,
  min: 1,
  idle: 2 ** 31 - 1,
  evict: 2 ** 31 - 1,
  acquire: acquireMs,
});

/**
 * Connects to PostgreSQL and registers the models. Opens no connection yet.
 * @param options.embedded the engine behind the URL is PGlite: one session, whoever connects. So one connection, and
 *   what an earlier one prepared is forgotten first, since names would collide
 */
export function connect(options: {
  url: string;
  embedded: boolean;
  poolSize: number;
  timeouts: DatabaseTimeouts;
  log: Logger;
}): Database {
  const { url, embedded, poolSize, timeouts, log } = options;
  const where = address(url);
  const database = new Sequelize({
    ...where,
    dialectOptions: {
      ...where.dialectOptions,
      keepAlive: true,
      application_name: "messenger",
      // The server ends a slow statement; a server that has fallen silent is given up a little later.
      statement_timeout: timeouts.statementMs,
      query_timeout: timeouts.statementMs + silenceMs,
      lock_timeout: timeouts.lockMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    },
    pool: lastingPool(embedded ? 1 : poolSize, timeouts.acquireMs),
    hooks: {
      async afterConnect(connection) {
        const client = connection as pg.Client;
        client.on("error", (error) => log.warn({ err: error }, "a connection to the database was lost"));
        if (embedded) await client.query("DEALLOCATE ALL");
      },
    },
    models,
  });
  return database;
}

/** One connection without time limits, for migrations: waiting for their lock and building an index may take long. */
export function connectForMigrations(url: string): Sequelize {
  return new Sequelize({ ...address(url), pool: lastingPool(1, 3_600_000) });
}
