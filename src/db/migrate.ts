import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type QueryInterface, QueryTypes, type Transaction } from "sequelize";
import type { Logger } from "../logger.ts";
import { connectForMigrations, type Database } from "./connect.ts";
import { isLockTimeout, isTransient } from "./database-errors.ts";
import { isHalfRestored } from "./queries/backup/restore-mark.ts";
import {
  type CompatibleMigrations,
  compatibleMigrations,
  finishedMigrations,
  recordCompatible,
} from "./queries/migrations.ts";

interface Migration {
  /**
   * The newest migration that a version must have to work on the schema that this one leaves: with it, versions without
   * this migration start on a migrated database.
   */
  compatibleSince?: string;
  /** May return sentences for the log. */
  up(queryInterface: QueryInterface): Promise<unknown>;
  down(queryInterface: QueryInterface): Promise<unknown>;
}

/** An arbitrary number that stands for "migrating this product" among the database's advisory locks. */
const migrationLock = 7_238_645_113;
/** How often a process tries to get a lock again, in milliseconds. */
const lockRetryMs = 200;
/** How long a migration waits for the lock of a table before it lets others pass and tries again, in milliseconds. */
const maxLockWaitMs = 1000;

const require = createRequire(import.meta.url);
const folder = new URL("../../migrations/", import.meta.url);

/** Whether another connection sees and keeps what is set in a session. Behind a pooler of transactions it is not kept. */
interface MigrationOptions {
  keepsSession: boolean;
}

/**
 * Brings the tables up to date with `migrations/`. Several processes may start at once: one migrates, the others wait
 * for it. The same files in the same order and the same table of names as `sequelize-cli` (`.sequelizerc`), so either
 * can continue from the other.
 * @returns the names of the migrations that this call ran
 * @throws Error if the database cannot be used: it is not UTF-8, a restore into it was not finished, or a newer version has
 *   migrated it, unless that version has recorded that this one works on its schema
 */
export function migrate(
  url: string,
  log: Logger,
  options: MigrationOptions = { keepsSession: true },
): Promise<string[]> {
  return withMigrationLock(url, options, async (database) => {
    if (await isHalfRestored(database)) throw new Error(halfRestored);
    return runPending(database, log);
  });
}

/** Why a database cannot be used that holds only a part of a backup, and what to do. */
export const halfRestored = "a restore into it was not finished. Run `messenger restore FILE` again";

/**
 * Does work on a connection without timeouts, while no other process migrates the database.
 * @throws Error if the database is not UTF-8
 */
export async function withMigrationLock<T>(
  url: string,
  options: MigrationOptions,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = connectForMigrations(url, options);
  try {
    await assertUtf8(database);
    if (!options.keepsSession) return await whileTransactionHoldsLock(url, () => work(database));
    while (!(await tryLock(database, "pg_try_advisory_lock"))) await wait(lockRetryMs);
    return await work(database);
  } finally {
    await database.close();
  }
}

/**
 * Takes the lock of the migrations, if nobody holds it. A statement that waited for it would hold a snapshot, and the
 * holder's `CREATE INDEX CONCURRENTLY` waits for those.
 */
async function tryLock(
  database: Database,
  take: "pg_try_advisory_lock" | "pg_try_advisory_xact_lock",
  transaction?: Transaction,
): Promise<boolean> {
  const [row] = await database.query<{ isLocked: boolean }>(`SELECT ${take}(${migrationLock}) AS "isLocked"`, {
    type: QueryTypes.SELECT,
    ...(transaction && { transaction }),
  });
  return row?.isLocked ?? false;
}

/** Runs the migrations while a transaction on another connection holds their lock, where a session cannot hold it. */
async function whileTransactionHoldsLock<T>(url: string, work: () => Promise<T>): Promise<T> {
  const holder = connectForMigrations(url, { keepsSession: false });
  try {
    for (;;) {
      const result = await holder.transaction(async (transaction) => {
        const noTimeouts = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";
        await holder.query(noTimeouts, { transaction });
        const isLocked = await tryLock(holder, "pg_try_advisory_xact_lock", transaction);
        return isLocked ? { value: await work() } : undefined;
      });
      if (result) return result.value;
      await wait(lockRetryMs);
    }
  } finally {
    await holder.close();
  }
}

/**
 * Runs the migrations that have not run yet. The caller holds the lock.
 * @param names only these
 */
export async function runPending(database: Database, log: Logger, names?: readonly string[]): Promise<string[]> {
  await database.query('CREATE TABLE IF NOT EXISTS "SequelizeMeta" (name VARCHAR(255) NOT NULL PRIMARY KEY)');
  const state = await readMigrationState(database);
  const pending = state.pending.filter((name) => names?.includes(name) ?? true);
  const unknown = [...state.incompatible, ...state.compatible];
  if (state.incompatible.length > 0) {
    throw new Error(newerSchema(unknown));
  }
  if (unknown.length > 0)
    log.warn(`the schema is newer than this version and compatible with it: ${unknown.join(", ")}`);
  for (const name of pending) {
    const notes = await run(name, database, log);
    await database.query('INSERT INTO "SequelizeMeta" (name) VALUES ($name)', { bind: { name } });
    log.info({ migration: name }, "migrated");
    for (const note of notes) log.warn({ migration: name }, note);
  }
  if (!names) await recordCompatible(database, declaredCompatible());
  return pending;
}

const load = (name: string): Migration => require(fileURLToPath(new URL(name, folder)));

/** What the migrations of this version say about older versions. */
export const declaredCompatible = (): CompatibleMigrations =>
  Object.fromEntries(
    migrationNames().flatMap((name) => {
      const { compatibleSince } = load(name);
      return compatibleSince === undefined ? [] : [[name, compatibleSince]];
    }),
  );

const newerSchema = (unknown: readonly string[]): string =>
  `its schema is newer than this version, which lacks ${unknown.join(", ")}. Install the newer version`;

/** @throws Error if a newer version has migrated the database, even if this one works on its schema */
export async function assertSchemaKnown(database: Database): Promise<void> {
  const known = migrationNames();
  const unknown = (await recordedMigrations(database)).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(newerSchema(unknown));
}

/** Removes all tables of the messenger, by undoing every migration. All of them are known. The caller holds the lock. */
export async function undoMigrations(database: Database): Promise<void> {
  for (const name of (await recordedMigrations(database)).reverse()) {
    await load(name).down(database.getQueryInterface());
    await database.query('DELETE FROM "SequelizeMeta" WHERE name = $name', { bind: { name } });
  }
}

/** The names of the migrations that the database has, the oldest first. */
const recordedMigrations = async (database: Database): Promise<string[]> =>
  [...(await finishedMigrations(database))].sort();

/**
 * Runs a migration, again whenever it does not get a lock in time.
 * @returns sentences for the log
 * @throws the error itself if trying again can help, otherwise one that names the migration
 */
async function run(name: string, database: Database, log: Logger): Promise<string[]> {
  const queryInterface: QueryInterface = Object.create(database.getQueryInterface(), {
    sequelize: { value: withLockTimeout(database) },
  });
  for (let attempt = 0; ; attempt++) {
    try {
      const notes = await load(name).up(queryInterface);
      return Array.isArray(notes) ? notes.filter((note) => typeof note === "string") : [];
    } catch (error) {
      if (isLockTimeout(error)) {
        if (attempt === 0) log.warn({ migration: name }, "a migration waits for a transaction that has a table locked");
        await wait(lockRetryMs);
        continue;
      }
      if (isTransient(error)) throw error;
      throw new Error(`Migration ${name} failed: ${(error as Error).message}`, { cause: error });
    }
  }
}

/**
 * A database whose transactions do not wait long for a lock: while one waits for the exclusive lock of a table, all
 * statements that use the table wait behind it.
 */
function withLockTimeout(database: Database): Database {
  const transaction = <T>(work: (transaction: Transaction) => PromiseLike<T>): Promise<T> =>
    database.transaction(async (started) => {
      await database.query(`SET LOCAL lock_timeout = ${maxLockWaitMs}`, { transaction: started });
      return work(started);
    });
  return Object.create(database, { transaction: { value: transaction } });
}

/** Texts hold any character, which only UTF-8 can store. */
async function assertUtf8(database: Database): Promise<void> {
  const [row] = await database.query<{ server_encoding: string }>("SHOW server_encoding", { type: QueryTypes.SELECT });
  if (row?.server_encoding === "UTF8") return;
  throw new Error(`its encoding is ${row?.server_encoding}. Create a database with ENCODING 'UTF8'`);
}

/** The migrations of a database, compared with those of this version. */
export interface MigrationState {
  /** Those of this version that have not run. */
  pending: string[];
  /** Those of a newer version which has recorded that this one works on its schema. */
  compatible: string[];
  /** Those of a newer version that this one cannot work with: it cannot know what they have changed. */
  incompatible: string[];
}

/** Compares the migrations of a database with those of this version. */
export async function readMigrationState(database: Database): Promise<MigrationState> {
  const finished = await finishedMigrations(database);
  const known = migrationNames();
  const unknown = [...finished].filter((name) => !known.includes(name)).sort();
  const since = unknown.length > 0 ? await compatibleMigrations(database, finished) : {};
  const isCompatible = (name: string) => known.includes(since[name] ?? "");
  return {
    pending: known.filter((name) => !finished.has(name)),
    compatible: unknown.filter(isCompatible),
    incompatible: unknown.filter((name) => !isCompatible(name)),
  };
}

/** How many migrations of this version a database lacks: it was restored from an older backup, or a migration was undone. */
export async function countMissingMigrations(database: Database): Promise<number> {
  const known = migrationNames();
  const [row] = await database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM "SequelizeMeta" WHERE name = ANY ($known)',
    { bind: { known }, type: QueryTypes.SELECT },
  );
  return known.length - (row?.count ?? 0);
}

/** The file names of all migrations, the oldest first. */
export const migrationNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".cjs"))
    .sort();
