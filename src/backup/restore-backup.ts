import type { Database } from "../db/connect.ts";
import { assertSchemaKnown, migrationNames, runPending, undoMigrations, withMigrationLock } from "../db/migrate.ts";
import { startEngine } from "../db/open.ts";
import { findPooling } from "../db/pooler.ts";
import { countActiveSessions, endAllSessions } from "../db/queries/accounts/sessions.ts";
import { recordAction } from "../db/queries/administration/audit.ts";
import {
  analyze,
  deleteOneTimeTokens,
  findOccupation,
  finishLoading,
  noteFiles,
  prepareLoading,
  restoreSequences,
} from "../db/queries/backup/load.ts";
import { isHalfRestored, markHalfRestored, unmarkHalfRestored } from "../db/queries/backup/restore-mark.ts";
import { countRows, insertRows } from "../db/queries/backup/rows.ts";
import { readTables, type StoredTable } from "../db/queries/backup/tables.ts";
import { raiseIdsOfNewEpoch, renewEpoch } from "../db/queries/epoch.ts";
import { forgetMarker } from "../db/queries/files/marker.ts";
import { findViolations, type Violation } from "../db/queries/fsck/fsck.ts";
import { selectOn } from "../db/select.ts";
import { fromCommandLine } from "../domain/administration.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Archive } from "./archive-reader.ts";
import { type RestoredFiles, restoreFiles } from "./file-parts.ts";
import type { TablePart } from "./manifest.ts";

/** A batch is stored by one statement when it has so many rows or characters. */
const maxBatchRows = 1000;
const maxBatchCharacters = 1_000_000;

export interface RestoreOptions {
  archive: Archive;
  /** Where uploaded files are restored. */
  restoredFiles: RestoredFiles;
  /** Whether to end all sessions and one-time tokens. */
  endsSessions: boolean;
  /** Lifetime of a refresh token, in milliseconds. */
  sessionLifetimeMs: number;
  /** Is given the generated JWT_SECRET of the archive. */
  keepSecret: (secret: string) => Promise<void>;
  log: Logger;
}

/** What a restore has done. */
export interface RestoreSummary {
  /** The database. */
  description: string;
  tables: { table: string; rows: number }[];
  /** Contents and thumbnails of uploaded files. */
  files: number;
  /** Tables of the archive that this version does not have, so that they were not restored. */
  unknown: string[];
  sessions: { active: number; ended: number };
  violations: Violation[];
}

/**
 * Opens the database, creates an embedded one if there is none, and restores an archive into it.
 * @throws as `restoreInto` does
 */
export async function restoreBackup(
  options: RestoreOptions & { databaseUrl: string | undefined; dataDir: string },
): Promise<RestoreSummary> {
  const { archive, databaseUrl, dataDir } = options;
  assertKnown(archive);
  if (databaseUrl !== undefined && (await findPooling(databaseUrl)) === "transaction") {
    throw new AppError(
      "conflict",
      "A restore needs sessions of its own: set DATABASE_URL to PostgreSQL itself, not to a PgBouncer that pools transactions.",
    );
  }
  const engine = await startEngine({ databaseUrl, dataDir });
  try {
    return await restoreInto(engine, options);
  } finally {
    await engine.stop();
  }
}

/** A database that is open. */
interface Target {
  url: string;
  /** Identifies the folder of an embedded database. */
  files: string | undefined;
  description: string;
}

/**
 * Restores an archive into an empty database, or one in which an earlier restore was not finished. While it is not
 * finished, the database is marked, and no server starts on it.
 * @throws AppError or StartError if the database or the archive cannot be used; nothing is changed then
 */
export async function restoreInto(target: Target, options: RestoreOptions): Promise<RestoreSummary> {
  assertKnown(options.archive);
  const { url, files, description } = target;
  return withMigrationLock(url, { keepsSession: true }, async (database) => ({
    ...(await restore(database, { ...options, files, description })),
    description,
  }));
}

function assertKnown({ path, manifest: { migrations, messenger } }: Archive): void {
  const known = migrationNames();
  const unknown = migrations.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new AppError(
    "conflict",
    `${path} was written by a newer version: this one lacks ${unknown.join(", ")}. Install the messenger ${messenger}, or a newer one.`,
  );
}

async function restore(
  database: Database,
  options: RestoreOptions & { files: string | undefined; description: string },
): Promise<Omit<RestoreSummary, "description">> {
  const { archive, endsSessions, sessionLifetimeMs, log } = options;
  const { manifest } = archive;
  await assertSchemaKnown(database);
  await assertEmpty(database, options.description);

  await markHalfRestored(database);
  await undoMigrations(database);
  await runPending(database, log, manifest.migrations);
  const tables = await fill(database, archive);
  const files = await restoreFiles(archive, options.restoredFiles);
  await runPending(database, log);

  await renewEpoch(database);
  await noteFiles(database, options.files);
  await forgetMarker(database);
  await raiseIdsOfNewEpoch(selectOn(database));
  const current = await readTables(database);
  const active = await countActiveSessions(database, sessionLifetimeMs);
  const ended = endsSessions ? await endAllSessions(database) : 0;
  if (endsSessions) await deleteOneTimeTokens(database, current);
  if (manifest.secret) for await (const secret of archive.lines(manifest.secret)) await options.keepSecret(secret);
  const details = { writtenAt: manifest.createdAt, endedSessions: ended };
  await database.transaction((transaction) =>
    recordAction(database, fromCommandLine, { action: "data.restore", details }, transaction),
  );
  await analyze(database, current);
  const { violations } = await findViolations(database);
  await unmarkHalfRestored(database);

  const isRestored = ({ table }: TablePart) => tables.some(({ name }) => name === table);
  return {
    tables: manifest.tables.filter(isRestored).map(({ table, rows }) => ({ table, rows })),
    files,
    unknown: manifest.tables.filter((part) => !isRestored(part)).map(({ table }) => table),
    sessions: { active: endsSessions ? 0 : active, ended },
    violations,
  };
}

async function assertEmpty(database: Database, description: string): Promise<void> {
  const { hasUsers, isInUse } = await findOccupation(database, await readTables(database));
  if (isInUse) throw new AppError("conflict", `A messenger is using the database (${description}). Stop it first.`);
  if (!hasUsers || (await isHalfRestored(database))) return;
  throw new AppError(
    "conflict",
    `The database (${description}) has users. A backup is restored into an empty database only: ` +
      "create a new one and set DATABASE_URL to it, or set DATA_DIR to a new folder.",
  );
}

/** Stores the rows of the archive. @returns the tables that it has filled */
async function fill(database: Database, archive: Archive): Promise<StoredTable[]> {
  const parts = new Map(archive.manifest.tables.map((part) => [part.table, part]));
  const tables = (await readTables(database)).filter(({ name }) => parts.has(name));
  const foreignKeys = await prepareLoading(database, tables);
  for (const table of tables) {
    const part = parts.get(table.name);
    if (part) await fillTable(database, archive, { table, part });
  }
  await restoreSequences(database, archive.manifest.sequences);
  await finishLoading(database, tables, foreignKeys);
  return tables;
}

async function fillTable(
  database: Database,
  archive: Archive,
  { table, part }: { table: StoredTable; part: TablePart },
): Promise<void> {
  const columns = table.columns.filter(({ name }) => part.columns.includes(name));
  const filled = { ...table, columns };
  let batch: string[] = [];
  let characters = 0;
  const store = async () => {
    if (batch.length > 0) await insertRows(database, filled, batch);
    batch = [];
    characters = 0;
  };
  for await (const line of archive.lines(part)) {
    batch.push(line);
    characters += line.length;
    if (batch.length >= maxBatchRows || characters >= maxBatchCharacters) await store();
  }
  await store();
  const rows = await countRows(database, table);
  if (rows !== part.rows) throw new Error(`the table ${table.name} has ${rows} rows instead of ${part.rows}`);
}
