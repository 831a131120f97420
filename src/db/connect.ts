import pg from "pg";
import { type Options, QueryTypes } from "sequelize";
import { Sequelize } from "sequelize-typescript";
import type { Logger } from "../logger.ts";
import { models } from "../models/index.ts";
import { Availability, observeFailures } from "./availability.ts";
import { parseUrl } from "./connection-url.ts";
import { readOnlyReason, writeToDisk } from "./queries/availability.ts";
import { type ObserveQuery, observeQueries } from "./query-times.ts";
import type { SelectRows } from "./select-rows.ts";

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
const formats = [
  "DateStyle = 'ISO, YMD'",
  "IntervalStyle = 'postgres'",
  "TimeZone = 'UTC'",
  "bytea_output = 'hex'",
  "extra_float_digits = 1",
  "standard_conforming_strings = on",
];

const sessionSettings = [
  "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
  ...formats.map((format) => `SET ${format}`),
].join("; ");

/** Set by statements, not as start-up parameters, of which PgBouncer accepts only a few. */
const timeoutSettings = ({ statementMs, lockMs }: DatabaseTimeouts): string =>
  [
    `SET statement_timeout = ${statementMs}`,
    `SET lock_timeout = ${lockMs}`,
    `SET idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs}`,
  ].join("; ");

/** The same for one transaction, without timeouts: behind a pooler its session belongs to others before and afterwards. */
export const longTransactionSettings = [
  ...formats,
  ...["statement_timeout = 0", "lock_timeout = 0", "idle_in_transaction_session_timeout = 0"],
]
  .map((setting) => `SET LOCAL ${setting}`)
  .join("; ");

/** Behind a pooler a connection may have been used, with the timeouts of the server. */
const noTimeouts = "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/** Time to open a connection for migrations, in milliseconds. */
const connectTimeoutMs = 10_000;

// Ids, seqs and versions are int8, which the driver returns as text. All of them stay below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/**
 * A client that listens to errors from the beginning. Sequelize begins after the connection is ready: a server that ends it
 * in the same packet would end this process.
 */
class ListeningClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.on("error", () => {});
  }
}

/** The `pg` module with that client. */
const driver: object = Object.create(pg, { Client: { value: ListeningClient } });

/** The Sequelize options for a connection URL. */
export function connectionOptions(url: string): Options {
  const { user, ssl, ...address } = parseUrl(url);
  return {
    dialect: "postgres",
    dialectModule: driver,
    logging: false,
    ...address,
    ...(user && { username: user }),
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

/** A pool of connections, and whether the database behind it can be written. */
export interface ConnectedDatabase {
  database: Database;
  availability: Availability;
}

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
  /** Is called for each new connection; it is not used before that has resolved, nor at all if it rejects. */
  checkEpoch?: (selectRows: SelectRows) => Promise<void>;
  observeQuery?: ObserveQuery | undefined;
  log: Logger;
}): ConnectedDatabase {
  const { url, embedded, poolSize, timeouts, checkEpoch, observeQuery, log } = options;
  const base = connectionOptions(url);
  const settings = `${sessionSettings}; ${timeoutSettings(timeouts)}`;
  /** Connections that may lead to a server which is gone or no longer the primary have an earlier generation. */
  let generation = 0;
  const generations = new WeakMap<object, number>();
  const database: Sequelize = new Sequelize({
    ...base,
    dialectOptions: {
      ...base.dialectOptions,
      keepAlive: true,
      application_name: "messenger",
      connectionTimeoutMillis: timeouts.acquireMs,
      // The server cancels a slow statement; if it does not respond, the client closes the connection a little later.
      query_timeout: timeouts.statementMs + serverGraceMs,
    },
    pool: {
      ...persistentPool(embedded ? 1 : poolSize, timeouts.acquireMs),
      validate: (client?: PooledClient) =>
        client !== undefined && !client._invalid && !client._ending && generations.get(client) === generation,
    },
    hooks: {
      async afterConnect(connection) {
        const client = connection as pg.Client;
        generations.set(client, generation);
        client.on("error", availability.noteLostConnection);
        await client.query(embedded ? `DEALLOCATE ALL; ${settings}` : settings);
        await checkEpoch?.(async <Row extends object>(sql: string) => (await client.query<Row>(sql)).rows);
      },
    },
    models,
  });
  const availability = new Availability({
    findReadOnlyReason: () => readOnlyReason((sql) => database.query(sql, { type: QueryTypes.SELECT })),
    writeToDisk: () => writeToDisk(database),
    renewConnections: () => {
      generation++;
    },
    isRemote: !embedded,
    log,
  });
  observeFailures(database, availability.noteFailure);
  if (observeQuery) observeQueries(database, observeQuery);
  return { database, availability };
}

/** How many connections of the pool are used and idle, and how many tasks wait for one. */
export function poolUse({ connectionManager }: Database): { used: number; idle: number; waiting: number } {
  const { using = 0, available = 0, waiting = 0 } = Object(Reflect.get(connectionManager, "pool"));
  return { used: using, idle: available, waiting };
}

/** A connection of the pool. Sequelize marks those that were lost, and `pg` those that are being closed. */
type PooledClient = pg.Client & { _invalid?: boolean; _ending?: boolean };

/**
 * One connection without timeouts, for migrations: waiting for their lock and building an index can take long.
 * @param options.keepsSession false behind a pooler whose sessions others use next, so that nothing may be set in them
 */
export function connectForMigrations(url: string, options: { keepsSession: boolean }): Sequelize {
  const base = connectionOptions(url);
  return new Sequelize({
    ...base,
    dialectOptions: {
      ...base.dialectOptions,
      application_name: "messenger",
      connectionTimeoutMillis: connectTimeoutMs,
    },
    pool: persistentPool(1, 3_600_000),
    hooks: {
      afterConnect: async (connection) =>
        void (await (connection as pg.Client).query(
          options.keepsSession ? `${sessionSettings}; ${noTimeouts}` : sessionSettings,
        )),
    },
  });
}
