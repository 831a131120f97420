import { readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { startEmbedded } from "../db/embedded.ts";
import { lockFolder } from "../db/folder-lock.ts";
import { makeFolder } from "../db/make-folder.ts";
import { shortPathTo } from "../db/short-path.ts";
import { AppError, StartError } from "../errors.ts";
import { whileFilesStay } from "./file-parts.ts";
import { type BackupOptions, type BackupSummary, writeArchive } from "./write-backup.ts";

/*
 * The embedded database is one session: a transaction that reads everything would stop everybody until it ends. So the files
 * are copied while requests wait, which takes a fraction of that time, and the archive is written from a second engine on
 * the copy.
 */

/** What must stay free beside the copy, so that the database can go on writing, in bytes. */
const minFreeBytes = 64 * 1024 * 1024;

const copyOf = (dataDir: string): string => join(dataDir, "backup-copy");

/** How long requests waited for the copy, in milliseconds; 0 if no server was running. */
export interface EmbeddedBackupSummary extends BackupSummary {
  pauseMs: number;
}

/**
 * Writes an archive of an embedded database.
 * @param options.copyData has the server that has the database open copy its files to a folder; returns false if none is
 *   running, and the database is opened by this process
 * @throws AppError, StartError, or the error that prevented it; neither an archive nor a copy is left then
 */
export function backUpEmbedded(
  options: Omit<BackupOptions, "url"> & { dataDir: string; copyData: (folder: string) => Promise<boolean> },
): Promise<EmbeddedBackupSummary> {
  const { dataDir, files } = options;
  return whileLocked(dataDir, () => whileFilesStay(files, () => backUpCopy(options, copyOf(dataDir))));
}

async function backUpCopy(options: Parameters<typeof backUpEmbedded>[0], copy: string): Promise<EmbeddedBackupSummary> {
  const { dataDir, copyData } = options;
  await rm(copy, { recursive: true, force: true });
  await makeFolder(copy);
  try {
    const startedAt = performance.now();
    const isCopied = await copyData(join(copy, "postgres"));
    const pauseMs = isCopied ? Math.round(performance.now() - startedAt) : 0;
    const engine = await startEmbedded(isCopied ? copy : dataDir, { mustExist: true });
    try {
      return { ...(await writeArchive({ ...options, url: engine.url })), pauseMs };
    } finally {
      await engine.stop();
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/**
 * Has the engine copy its files, if the disk has room for them.
 * @throws AppError if it has not
 */
export async function copyIfSpace(
  dataDir: string,
  copyData: (folder: string) => Promise<void>,
  folder: string,
): Promise<void> {
  await assertSpace(dataDir);
  await copyData(folder);
}

/** Removes the copy that a killed backup has left. */
export async function removeLeftCopy(dataDir: string): Promise<void> {
  try {
    await stat(copyOf(dataDir));
    await whileLocked(dataDir, () => rm(copyOf(dataDir), { recursive: true, force: true }));
  } catch {
    // There is none, or a backup is running.
  }
}

/** Does work while no other backup of the folder runs. @throws StartError if one does */
async function whileLocked<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const sockets = join(dataDir, "sockets");
  await makeFolder(sockets);
  const short = await shortPathTo(sockets);
  try {
    const describe = (holder: string) => `Another backup of ${dataDir} is running (process ${holder}).`;
    const unlock = await lockFolder(join(short.path, "backup.sock"), dataDir, describe);
    return await work().finally(unlock);
  } finally {
    await short.remove();
  }
}

/** A disk that becomes full stops the server, too. */
async function assertSpace(dataDir: string): Promise<void> {
  const data = await sizeOf(join(dataDir, "postgres"));
  const { bavail, bsize } = await statfs(dataDir);
  const megabytes = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  const needed = data + minFreeBytes;
  if (bavail * bsize >= needed) return;
  throw new AppError(
    "conflict",
    `A backup needs ${megabytes(needed)} MB of free space in ${dataDir} for a copy of the database, and only ` +
      `${megabytes(bavail * bsize)} MB are free (no space left on device). Free some, or move DATA_DIR to a larger disk.`,
  );
}

/** The size of the files below a folder, in bytes. The database may remove some meanwhile. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new StartError(`The database folder ${folder} cannot be read: ${error.message}`);
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    else bytes += (await stat(path).catch(() => ({ blocks: 0 }))).blocks * 512;
  }
  return bytes;
}
