import { stat } from "node:fs/promises";
import { backupFolder, findBackups } from "../../backup/backup-folder.ts";
import type { Config } from "../../config/settings.ts";
import { type Finding, warning } from "./finding.ts";

const hour = 3_600_000;

/** Backups older than this lose more than most people accept, in milliseconds. */
const maxAgeMs = 48 * hour;

/** The age of the newest backup in `DATA_DIR/backups`, if backups are made there. */
export async function checkBackups(
  { server: { dataDir }, backups: { everyMs } }: Config,
  { now = Date.now } = {},
): Promise<Finding[]> {
  const folder = backupFolder(dataDir);
  if (!(await stat(folder).catch(() => undefined))) return [];
  const newest = (await findBackups(dataDir)).at(-1);
  const ageMs = newest === undefined ? Number.POSITIVE_INFINITY : now() - newest.modifiedAt;
  if (ageMs <= Math.max(maxAgeMs, 2 * (everyMs ?? 0))) return [];
  return [
    warning(
      newest === undefined
        ? `There is no backup in ${folder}`
        : `The newest backup in ${folder} is ${Math.floor(ageMs / hour)} hours old`,
      "What was written since then is lost with the disk.",
      "Make a backup, and find out from the log why none was made (docs/operations/backup.md).",
    ),
  ];
}
