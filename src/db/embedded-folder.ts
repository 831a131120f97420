import { constants } from "node:fs";
import { access, readdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "../errors.ts";
import { makeFolder } from "./make-folder.ts";

/** The major version of PostgreSQL that PGlite contains: it cannot open a folder of another one. */
export const embeddedMajor = "18";

/** Parts of every data folder of PostgreSQL, which it reads and writes. */
const dataParts = ["base", "global", join("global", "pg_control"), "pg_wal"];

/** The folders of an embedded database. */
export interface EmbeddedFolders {
  /** The data of PostgreSQL. */
  data: string;
  /** Where a new database is created, to be renamed to `data` once it is complete. */
  newData: string;
  sockets: string;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const restore = "Restore it from a backup, or remove the folder to start with an empty database.";

/**
 * Creates the folders of an embedded database, closed to other users of the machine, except that of its data.
 * @param options.mustExist whether a missing database is an error: a command must not create one because of a typo
 * @throws StartError if a folder cannot be used
 */
export async function createFolders(dataDir: string, options: { mustExist: boolean }): Promise<EmbeddedFolders> {
  if (options.mustExist && (await isEmpty(join(dataDir, "postgres")).catch(() => false))) {
    throw new StartError(`There is no database in the data folder ${dataDir}. Check DATA_DIR.`);
  }
  try {
    await makeFolder(dataDir);
    const folder = await realpath(dataDir);
    const sockets = join(folder, "sockets");
    await makeFolder(sockets);
    for (const path of [folder, sockets]) await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return { data: join(folder, "postgres"), newData: join(folder, "postgres.new"), sockets };
  } catch (error) {
    throw new StartError(`The data folder ${dataDir} cannot be used: ${(error as Error).message}`);
  }
}

/**
 * Decides whether a database has to be created. The caller holds the lock of the folder.
 * @returns false if the folder holds a database, true if there is none; what a killed creation left is then removed
 * @throws StartError if the folder holds something else: a part of a database, or one of another version
 */
export async function isNewDatabase({ data, newData }: EmbeddedFolders): Promise<boolean> {
  const isNew = !(await hasDatabase(data));
  if (isNew) await rm(newData, { recursive: true, force: true });
  return isNew;
}

/**
 * Whether a folder holds a database that the engine can open. Changes nothing.
 * @returns false if it is empty or missing
 * @throws StartError if the folder holds something else: a part of a database, or one of another version
 */
export async function hasDatabase(data: string): Promise<boolean> {
  try {
    if (await isEmpty(data)) return false;
    await assertComplete(data);
    await assertUsable(data);
    return true;
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`The database folder ${data} cannot be used: ${(error as Error).message}`);
  }
}

/** Whether a folder is empty or missing. */
async function isEmpty(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length === 0;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true;
    if (codeOf(error) === "ENOTDIR")
      throw new StartError(`${path} is not a folder. Move it away, or set DATA_DIR to another folder.`);
    throw error;
  }
}

async function assertComplete(data: string): Promise<void> {
  for (const part of ["PG_VERSION", ...dataParts]) {
    const isThere = await stat(join(data, part)).then(
      () => true,
      (error) => {
        if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
        throw error;
      },
    );
    if (!isThere) throw new StartError(`The database in ${data} is incomplete: ${part} is missing. ${restore}`);
  }
  const major = (await readFile(join(data, "PG_VERSION"), "utf8")).trim();
  if (major === embeddedMajor) return;
  if (!/^\d+$/.test(major))
    throw new StartError(`The database in ${data} is damaged: PG_VERSION is not a number. ${restore}`);
  throw new StartError(
    `The database in ${data} is one of PostgreSQL ${major}, and this version contains PostgreSQL ${embeddedMajor}. ` +
      "With the version of the messenger that created it, run `messenger backup FILE`; with this one, set DATA_DIR to a " +
      "new folder and run `messenger restore FILE`.",
  );
}

/** PostgreSQL reads and writes everywhere in the folder. */
async function assertUsable(data: string): Promise<void> {
  for (const part of ["", ...dataParts]) {
    await access(join(data, part), constants.R_OK | constants.W_OK);
  }
}
