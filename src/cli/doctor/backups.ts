import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Config } from "../../config/settings.ts";
import { type Finding, warning } from "./finding.ts";

const hour = 3_600_000;

/** Older backups lose more than most people accept, in milliseconds. */
const maxAgeMs = 48 * hour;

/** The age of the newest file in `DATA_DIR/backups`, if there is such a folder. */
export async function checkBackups({ server: { dataDir } }: Config, { now = Date.now } = {}): Promise<Finding[]> {
  const folder = resolve(dataDir, "backups");
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return [];
  const files = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
  const times = files.flatMap((file) => (file?.isFile() ? [file.mtimeMs] : []));
  const ageMs = now() - Math.max(...times);
  if (ageMs <= maxAgeMs) return [];
  return [
    warning(
      times.length === 0
        ? `There is no backup in ${folder}`
        : `The newest backup in ${folder} is ${Math.floor(ageMs / hour)} hours old`,
      "What was written since then is lost with the disk.",
      "Make a backup, and find out from the log why none was made (docs/operations/backup.md).",
    ),
  ];
}
