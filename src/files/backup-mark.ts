import { stat } from "node:fs/promises";
import { join } from "node:path";

/** The file, in the folder of the files, that a running backup touches every few seconds: no file must be deleted then. */
export const backupMark = "backup-running";

/** A backup that has not touched its mark for so long was killed, in milliseconds. */
const abandonedAfterMs = 60_000;

/** Whether a backup of the files is running. @param now in milliseconds of the wall clock */
export async function isBackupRunning(folder: string, now: number): Promise<boolean> {
  const mark = await stat(join(folder, backupMark)).catch(() => undefined);
  return mark !== undefined && now - mark.mtimeMs < abandonedAfterMs;
}
