import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";

/** Where the automatic backups of a data folder are. */
export const backupFolder = (dataDir: string): string => join(dataDir, "backups");

/** The name of an automatic backup: that of a file which an administrator puts beside them does not match. */
const automaticName = /^messenger-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.zip$/;

export interface BackupFile {
  path: string;
  /** When it was written, in milliseconds since 1970. */
  modifiedAt: number;
}

/** The finished backups in the folder, the oldest first. Empty if there is no such folder. */
export async function findBackups(dataDir: string): Promise<BackupFile[]> {
  const folder = backupFolder(dataDir);
  const names = await readdir(folder).catch((): string[] => []);
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith(".zip"))
      .map(async (name) => {
        const path = join(folder, name);
        // It may have been removed meanwhile.
        const file = await stat(path).catch(() => undefined);
        return file?.isFile() ? { path, modifiedAt: file.mtimeMs } : undefined;
      }),
  );
  return files.filter((file) => file !== undefined).sort((one, other) => one.modifiedAt - other.modifiedAt);
}

/** Those of the backups that the server has made by itself, the oldest first. */
export async function automaticBackups(dataDir: string): Promise<BackupFile[]> {
  return (await findBackups(dataDir)).filter(({ path }) => automaticName.test(basename(path)));
}
