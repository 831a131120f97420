import { setTimeout as wait } from "node:timers/promises";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { connect, type Database, type DatabaseTimeouts } from "./connect.ts";
import { startEmbedded } from "./embedded.ts";
import { isTransient } from "./database-errors.ts";
import { migrate } from "./migrate.ts";

export interface OpenDatabase {
  database: Database;
  /** Settles when the database cannot come back by itself. */
  died: Promise<Error>;
  close(): Promise<void>;
}

/** How long the connections to a server may take to be closed, in milliseconds; one that has fallen silent never answers. */
const farewellMs = 2000;

const retryMs = { first: 200, most: 5000 };

/** What starts the engine, if it is ours to start, and says where it is. */
export async function startEngine(options: { databaseUrl: string | undefined; dataDir: string }) {
  if (options.databaseUrl === undefined) return { ...(await startEmbedded(options.dataDir)), embedded: true };
  return { url: options.databaseUrl, embedded: false, died: new Promise<Error>(() => {}), stop: async () => {} };
}

/**
 * Opens the database, embedded or on a server, with its tables up to date. A server that is not there yet is waited
 * for.
 * @throws StartError when it is still away after `startTimeoutMs`, or refuses us
 */
export async function openDatabase(options: {
  databaseUrl: string | undefined;
  dataDir: string;
  poolSize: number;
  timeouts: DatabaseTimeouts;
  startTimeoutMs: number;
  log: Logger;
  signal: AbortSignal;
}): Promise<OpenDatabase> {
  const { poolSize, timeouts, log } = options;
  const engine = await startEngine(options);
  try {
    await migrateWhenThere(engine.url, options);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  const database = connect({ url: engine.url, embedded: engine.embedded, poolSize, timeouts, log });
  return {
    database,
    died: engine.died,
    async close() {
      const closed = database.close();
      await (engine.embedded ? closed : Promise.race([closed, wait(farewellMs, undefined, { ref: false })]));
      await engine.stop();
    },
  };
}

async function migrateWhenThere(
  url: string,
  { startTimeoutMs, log, signal }: { startTimeoutMs: number; log: Logger; signal: AbortSignal },
): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  for (let pauseMs = retryMs.first; ; pauseMs = Math.min(pauseMs * 2, retryMs.most)) {
    try {
      await migrate(url, log);
      return;
    } catch (error) {
      const { message } = error as Error;
      if (!isTransient(error)) throw new StartError(`The database cannot be used: ${message}`, { cause: error });
      if (Date.now() + pauseMs > deadline) {
        throw new StartError(
          `The database is not there after ${startTimeoutMs / 1000} s: ${message}. Check DATABASE_URL.`,
        );
      }
      log.warn({ err: error }, "the database is not there yet; trying again");
      await wait(pauseMs, undefined, { signal });
    }
  }
}
