import { setTimeout as wait } from "node:timers/promises";
import { exponentialBackoff } from "../concurrency/backoff.ts";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { connect, type Database, type DatabaseTimeouts } from "./connect.ts";
import { isTransient } from "./database-errors.ts";
import { startEmbedded } from "./embedded.ts";
import { migrate } from "./migrate.ts";

export interface OpenDatabase {
  database: Database;
  /** Resolves if the embedded database stops unexpectedly; never for a server. */
  died: Promise<Error>;
  close(): Promise<void>;
}

/** How long closing the connections to a server may take, in milliseconds: an unresponsive server never answers. */
const closeTimeoutMs = 2000;

const retryDelayMs = exponentialBackoff({ firstMs: 200, maxMs: 5000 });

/** Starts the embedded database, unless a server is configured, and returns its URL. */
export async function startEngine(options: { databaseUrl: string | undefined; dataDir: string }) {
  if (options.databaseUrl === undefined) return { ...(await startEmbedded(options.dataDir)), embedded: true };
  return { url: options.databaseUrl, embedded: false, died: new Promise<Error>(() => {}), stop: async () => {} };
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
}): Promise<OpenDatabase> {
  const { poolSize, timeouts, log } = options;
  const engine = await startEngine(options);
  try {
    await migrateWhenAvailable(engine.url, options);
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
      await (engine.embedded ? closed : Promise.race([closed, wait(closeTimeoutMs, undefined, { ref: false })]));
      await engine.stop();
    },
  };
}

async function migrateWhenAvailable(
  url: string,
  { startTimeoutMs, log, signal }: { startTimeoutMs: number; log: Logger; signal: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      await migrate(url, log);
      return;
    } catch (error) {
      const { message } = error as Error;
      if (!isTransient(error)) throw new StartError(`The database cannot be used: ${message}`, { cause: error });
      const delayMs = retryDelayMs(attempt);
      if (performance.now() + delayMs > deadline) {
        throw new StartError(
          `The database is still unavailable after ${startTimeoutMs / 1000} s: ${message}. Check DATABASE_URL.`,
        );
      }
      log.warn({ err: error }, "the database is unavailable; retrying");
      await wait(delayMs, undefined, { signal });
    }
  }
}
