import { setTimeout as wait } from "node:timers/promises";
import { exponentialBackoff } from "../concurrency/backoff.ts";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Availability } from "./availability.ts";
import { connect, type Database, type DatabaseTimeouts } from "./connect.ts";
import { describeUrl } from "./connection-url.ts";
import { reasonOf } from "./database-errors.ts";
import { startEmbedded } from "./embedded.ts";
import { embeddedMajor } from "./embedded-folder.ts";
import { EpochMonitor } from "./epoch-monitor.ts";
import { migrate } from "./migrate.ts";
import { findPooling } from "./pooler.ts";
import { raiseIdsOfNewEpoch, renewEpochOfCopy } from "./queries/epoch.ts";
import { inspect } from "./queries/inspection.ts";
import type { ObserveQuery } from "./query-times.ts";
import { selectOn } from "./select.ts";
import { describeRejection, isWorthWaiting } from "./start-errors.ts";

export interface OpenDatabase {
  database: Database;
  availability: Availability;
  epoch: EpochMonitor;
  /** Where and what the database is, for people: never its user or password. */
  description: string;
  /** Resolves if the embedded database stops unexpectedly; never for a server. */
  died: Promise<Error>;
  /** Copies the files of the embedded database to a folder that does not exist, while requests wait. */
  copyData: ((folder: string) => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** How long closing the connections to a server may take, in milliseconds: an unresponsive server never answers. */
const closeTimeoutMs = 2000;

const retryDelayMs = exponentialBackoff({ firstMs: 200, maxMs: 5000 });

/**
 * Starts the embedded database, unless a server is configured, and returns its URL.
 * @param options.mustExist whether a missing embedded database is an error instead of being created
 */
export async function startEngine(options: { databaseUrl: string | undefined; dataDir: string; mustExist?: boolean }) {
  const { databaseUrl, dataDir, mustExist = false } = options;
  if (databaseUrl === undefined) return { ...(await startEmbedded(dataDir, { mustExist })), embedded: true };
  const description = `server ${describeUrl(databaseUrl)}`;
  const died = new Promise<Error>(() => {});
  return {
    ...{ url: databaseUrl, files: undefined, description, embedded: false, died },
    copyData: undefined,
    stop: async () => {},
  };
}

/**
 * Opens the database, embedded or on a server, and migrates it. Waits for a server that is unavailable.
 * @throws StartError if the server is still unavailable after `startTimeoutMs` or rejects the connection
 */
export async function openDatabase(options: {
  databaseUrl: string | undefined;
  dataDir: string;
  poolSize: number;
  timeouts: DatabaseTimeouts;
  startTimeoutMs: number;
  log: Logger;
  signal: AbortSignal;
  /** Whether a missing database is an error: for commands, which must not create one because of a typo. */
  mustExist?: boolean;
  /** Called while a server is waited for. */
  onUnavailable?: () => void;
  /** Is given the name and the time of each statement. */
  observeQuery?: ObserveQuery | undefined;
}): Promise<OpenDatabase> {
  const { poolSize, timeouts, observeQuery, log } = options;
  const engine = await startEngine(options);
  let version: string;
  try {
    version = await prepareWhenAvailable(engine, options);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  const epoch = new EpochMonitor();
  const { url, embedded } = engine;
  const { database, availability } = connect({
    url,
    embedded,
    poolSize,
    timeouts,
    checkEpoch: epoch.check,
    observeQuery,
    log,
  });
  try {
    if (engine.files !== undefined) await renewEpochOfCopy(database, engine.files);
    await raiseIdsOfNewEpoch(selectOn(database));
    await epoch.checkPool(database);
  } catch (error) {
    await database.close();
    await engine.stop();
    throw new StartError(describeRejection(error), { cause: error });
  }
  return {
    database,
    availability,
    epoch,
    description: `${engine.description} (PostgreSQL ${version})`,
    died: engine.died,
    copyData: engine.copyData,
    async close() {
      availability.stop();
      const closed = database.close();
      await (engine.embedded ? closed : Promise.race([closed, wait(closeTimeoutMs, undefined, { ref: false })]));
      await engine.stop();
    },
  };
}

interface PrepareOptions {
  startTimeoutMs: number;
  log: Logger;
  signal: AbortSignal;
  mustExist?: boolean;
  onUnavailable?: () => void;
}

/**
 * Migrates the database once it is available.
 * @returns the version of PostgreSQL
 */
async function prepareWhenAvailable(
  engine: { url: string; embedded: boolean },
  { startTimeoutMs, log, signal, mustExist, onUnavailable }: PrepareOptions,
): Promise<string> {
  const startedAt = performance.now();
  let isWaiting = false;
  for (let attempt = 0; ; attempt++) {
    const elapsedMs = () => performance.now() - startedAt;
    try {
      const version = await prepare(engine, { log, mustExist: mustExist === true });
      if (isWaiting) log.info(`the database is available after ${(elapsedMs() / 1000).toFixed(1)} s`);
      return version;
    } catch (error) {
      if (error instanceof StartError) throw error;
      if (!isWorthWaiting(error, elapsedMs())) throw new StartError(describeRejection(error), { cause: error });
      const reason = reasonOf(error);
      const delayMs = retryDelayMs(attempt);
      if (elapsedMs() + delayMs > startTimeoutMs) {
        throw new StartError(
          `The database is still unavailable after ${startTimeoutMs / 1000} s: ${reason}. Check DATABASE_URL.`,
        );
      }
      if (!isWaiting) log.warn(`the database is unavailable: ${reason}; retrying`);
      isWaiting = true;
      onUnavailable?.();
      await wait(delayMs, undefined, { signal });
    }
  }
}

/** @returns the version of PostgreSQL */
async function prepare(
  { url, embedded }: { url: string; embedded: boolean },
  { log, mustExist }: { log: Logger; mustExist: boolean },
): Promise<string> {
  if (embedded) {
    await migrate(url, log);
    return embeddedMajor;
  }
  const pooling = await findPooling(url);
  const { version, isEmpty, lacksTimeouts } = await inspect(url);
  if (mustExist && isEmpty) {
    throw new StartError(`There is no messenger in the database ${describeUrl(url)}. Check DATABASE_URL.`);
  }
  await migrate(url, log, { keepsSession: pooling !== "transaction" });
  if (pooling === "transaction" && lacksTimeouts) log.warn(missingTimeouts);
  return version;
}

/** A warning for databases behind a pooler of transactions. */
export const missingTimeouts =
  "PgBouncer pools transactions, in which the timeouts for statements and locks do not hold; give them to the role: " +
  "ALTER ROLE … SET statement_timeout = '5s', and the same for lock_timeout = '2s' and idle_in_transaction_session_timeout = '10s'";
