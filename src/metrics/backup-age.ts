import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * The age in seconds of the newest archive in a folder of backups.
 * @returns undefined if there is none, or the folder cannot be read
 */
export async function findBackupAge(folder: string): Promise<number | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(".zip"))
      .map(({ name }) => join(folder, name));
    const times = await Promise.all(files.map(async (path) => (await stat(path)).mtimeMs));
    return times.length > 0 ? Math.max(0, Date.now() - Math.max(...times)) / 1000 : undefined;
  } catch {
    return undefined;
  }
}
