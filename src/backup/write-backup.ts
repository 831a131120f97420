import { halfRestored } from "../db/migrate.ts";
import { isHalfRestored } from "../db/queries/backup/restore-mark.ts";
import { readRowsAfter } from "../db/queries/backup/rows.ts";
import {
  leftOutTables,
  readMigrations,
  readOrigin,
  readSequences,
  readTables,
  type StoredTable,
} from "../db/queries/backup/tables.ts";
import { readyFiles } from "../db/queries/files/collect.ts";
import { readSnapshot, type Snapshot } from "../db/snapshot.ts";
import { AppError } from "../errors.ts";
import { ArchiveWriter } from "./archive-writer.ts";
import { addFiles, type FilesOnDisk, whileFilesStay } from "./file-parts.ts";
import { formatName, formatVersion, type Manifest, manifestName, secretName, type TablePart } from "./manifest.ts";

/** Rows that are read by one statement. */
const pageSize = 500;

/** What a backup has written. */
export interface BackupSummary {
  path: string;
  bytes: number;
  rows: number;
  tables: number;
  /** Contents and thumbnails of uploaded files. */
  files: number;
}

export interface BackupOptions {
  /** Of the database. */
  url: string;
  /** Where the archive is written. */
  path: string;
  /** The version of the messenger. */
  version: string;
  /** The generated JWT_SECRET; undefined if it is set from outside. */
  secret: string | undefined;
  /** The uploaded files; undefined if they are in a bucket, which has backups of its own. */
  files: FilesOnDisk | undefined;
}

/**
 * Writes an archive of the database as it is at this moment: all tables are read in one snapshot, while others write.
 * @throws AppError if the database cannot be backed up, or the error that prevented it; the archive does not exist then
 */
export async function writeBackup(options: BackupOptions): Promise<BackupSummary> {
  return whileFilesStay(options.files, () => writeArchive(options));
}

/** The same, while `whileFilesStay` runs. */
export async function writeArchive(options: BackupOptions): Promise<BackupSummary> {
  const archive = await ArchiveWriter.create(options.path);
  try {
    const { tables, files = [] } = await writeParts(archive, options);
    const bytes = await archive.finish();
    const rows = tables.reduce((sum, { rows }) => sum + rows, 0);
    return { path: options.path, bytes, rows, tables: tables.length, files: files.length };
  } catch (error) {
    await archive.discard();
    throw error;
  }
}

function writeParts(archive: ArchiveWriter, { url, version, secret, files }: BackupOptions): Promise<Manifest> {
  return readSnapshot(url, async (snapshot) => {
    const { database, transaction } = snapshot;
    if (await isHalfRestored(database, transaction)) {
      throw new AppError("conflict", `The database cannot be backed up: ${halfRestored}.`);
    }
    const { tables, leftOut } = await tablesToWrite(snapshot);
    const parts: TablePart[] = [];
    for (const table of tables) parts.push(await writeTable(archive, snapshot, table));
    const manifest: Manifest = {
      format: formatName,
      formatVersion,
      messenger: version,
      ...(await readOrigin(database, transaction)),
      migrations: await readMigrations(database, transaction),
      tables: parts,
      leftOut,
      // Sequences belong to no snapshot: they are read last, so that none is behind the ids that were read.
      sequences: await readSequences(database, transaction),
      ...(files && { files: await addFiles(archive, files, readyFiles(database, transaction)) }),
      secret: secret === undefined ? null : await archive.add(secretName, [secret]),
    };
    await archive.add(manifestName, [`${JSON.stringify(manifest, null, 2)}\n`]);
    return manifest;
  });
}

async function tablesToWrite({ database, transaction }: Snapshot) {
  const all = await readTables(database, transaction);
  const tables = all.filter(({ name }) => !leftOutTables.has(name));
  const withoutKey = tables.filter(({ primaryKey }) => primaryKey.length === 0).map(({ name }) => name);
  if (withoutKey.length > 0) {
    throw new AppError("conflict", `Tables without a primary key cannot be backed up: ${withoutKey.join(", ")}`);
  }
  return { tables, leftOut: all.map(({ name }) => name).filter((name) => leftOutTables.has(name)) };
}

/** Adds a part with the rows of a table, in the order of its primary key. */
async function writeTable(
  archive: ArchiveWriter,
  { database, transaction }: Snapshot,
  table: StoredTable,
): Promise<TablePart> {
  let rows = 0;
  async function* pages() {
    for (let after: readonly string[] | undefined; ; ) {
      const page = await readRowsAfter(database, table, { after, limit: pageSize }, transaction);
      rows += page.length;
      if (page.length > 0) yield page.map(({ line }) => `${line}\n`).join("");
      if (page.length < pageSize) return;
      after = page.at(-1)?.key;
    }
  }
  const part = await archive.add(`tables/${table.name}.ndjson`, pages());
  return { ...part, table: table.name, columns: table.columns.map(({ name }) => name), rows };
}
