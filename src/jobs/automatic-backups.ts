import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { partialSuffix } from "../backup/archive-writer.ts";
import { automaticBackups, backupFolder } from "../backup/backup-folder.ts";
import { backUpEmbedded, copyIfSpace, removeLeftCopy } from "../backup/embedded-backup.ts";
import type { BackupOptions } from "../backup/write-backup.ts";
import { reasonOf } from "../db/database-errors.ts";
import { makeFolder } from "../db/make-folder.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

/** Until the next attempt after a failure, in milliseconds: each can stop all requests while the files are copied. */
const retryMs = 600_000;

export interface AutomaticBackups {
  dataDir: string;
  everyMs: number;
  /** How many are kept. */
  keep: number;
  /** Copies the files of the database, while requests wait. */
  copyData: (folder: string) => Promise<void>;
  version: string;
  files: BackupOptions["files"];
  findSecret: () => Promise<string | undefined>;
  log: Logger;
}

/**
 * Backs up the embedded database whenever the newest automatic backup is older than `everyMs`, and removes the oldest
 * backups. If a backup fails, none is removed.
 * @returns a function that stops it
 */
export function backUpRegularly(options: AutomaticBackups): () => void {
  const { dataDir, everyMs, log } = options;
  const task = async () => {
    const newest = (await automaticBackups(dataDir)).at(-1);
    const dueInMs = newest === undefined ? 0 : newest.modifiedAt + everyMs - Date.now();
    // If the clock has gone back, not later than it should.
    if (dueInMs > 0) return Math.min(dueInMs, everyMs);
    await backUp(options).catch((error) => {
      // The copy is another database: what is wrong with it is logged nowhere else.
      throw new Error(reasonOf(error), { cause: error });
    });
    return everyMs;
  };
  const intervalMs = Math.min(retryMs, everyMs);
  return poll({ description: "the automatic backup", intervalMs, runsAtStart: true, task, log });
}

/** Writes one backup, and then removes the oldest ones. */
export async function backUp(options: Omit<AutomaticBackups, "everyMs">): Promise<void> {
  const { dataDir, keep, copyData, version, files, findSecret, log } = options;
  const folder = backupFolder(dataDir);
  await makeFolder(folder);
  await removeLeftCopy(dataDir);
  await removePartialBackups(folder);
  const time = new Date().toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  const startedAt = performance.now();
  const summary = await backUpEmbedded({
    dataDir,
    path: join(folder, `messenger-${time}.zip`),
    version,
    files,
    secret: await findSecret(),
    async copyData(copy) {
      await copyIfSpace(dataDir, copyData, copy);
      return true;
    },
  });
  const removed = (await automaticBackups(dataDir)).slice(0, -keep);
  for (const { path } of removed) await rm(path);
  const { path, bytes, rows, pauseMs } = summary;
  const ms = Math.round(performance.now() - startedAt);
  log.info({ file: path, bytes, rows, pauseMs, ms, removed: removed.length }, "backup written");
}

/** Removes what killed automatic backups have left. */
async function removePartialBackups(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(".messenger-") && name.endsWith(partialSuffix)) await rm(join(folder, name));
  }
}
