import { constants } from "node:fs";
import { access, readFile, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Config } from "../../config/settings.ts";
import { hasDatabase } from "../../db/embedded-folder.ts";
import { isCompleteSecret, storedSecretPath } from "../../services/accounts/tokens.ts";
import { error, type Finding, warning, when } from "./finding.ts";

const MiB = 1024 ** 2;

/** Below this the embedded database may soon be unable to write, in bytes. */
const scarceBytes = 1024 * MiB;
/** Below this it is as good as full, in bytes. */
const fullBytes = 100 * MiB;

/** The free space where a path is, in bytes. */
export async function freeBytesAt(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/** The data folder: its permissions, its disk, and what is in it. Changes nothing and opens no database. */
export async function checkDataFolder(
  { server: { dataDir }, database, tokens }: Config,
  { freeBytes = freeBytesAt } = {},
): Promise<Finding[]> {
  const isEmbedded = database.url === undefined;
  const folder = resolve(dataDir);
  let mode: number;
  try {
    const found = await stat(folder);
    if (!found.isDirectory()) return [unusable(folder, "it is not a folder")];
    mode = found.mode;
  } catch (reason) {
    const { code, message } = reason as NodeJS.ErrnoException;
    return code === "ENOENT" ? checkParent(folder) : [unusable(folder, message)];
  }
  return [
    ...when((mode & 0o077) !== 0, () =>
      warning(
        `The data folder ${folder} is open to other users of the machine (mode ${(mode & 0o777).toString(8)})`,
        isEmbedded ? "It holds all messages, uploaded files and secrets." : "It holds uploaded files and secrets.",
        `chmod 700 ${folder}`,
      ),
    ),
    ...(await checkAccess(folder)),
    ...(await checkStoredSecret(folder, tokens.secret === undefined)),
    ...(isEmbedded ? [...(await checkDatabaseFolder(folder)), ...checkFreeSpace(folder, await freeBytes(folder))] : []),
  ];
}

const unusable = (folder: string, reason: string): Finding =>
  error(
    `The data folder ${folder} cannot be used: ${reason}`,
    "The server does not start without it.",
    "Set DATA_DIR to a folder that the server's user can write, such as DATA_DIR=/var/lib/messenger.",
  );

/** A folder that is missing is created by the first start, if the server may. */
async function checkParent(folder: string): Promise<Finding[]> {
  let parent = dirname(folder);
  while (parent !== dirname(parent) && !(await exists(parent))) parent = dirname(parent);
  return checkAccess(parent);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function checkAccess(folder: string): Promise<Finding[]> {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return [];
  } catch (reason) {
    return [unusable(folder, (reason as Error).message)];
  }
}

async function checkStoredSecret(folder: string, isNeeded: boolean): Promise<Finding[]> {
  const path = storedSecretPath(folder);
  const found = await stat(path).catch(() => undefined);
  if (!found || !isNeeded) return [];
  const secret = await readFile(path, "utf8").catch(() => undefined);
  return [
    ...when(secret !== undefined && !isCompleteSecret(secret), () =>
      error(
        `${path} does not contain a complete secret`,
        "The server does not start: it signs all tokens with the secret.",
        `Restore the file from a backup, or remove it, which logs all users out: rm ${path}`,
      ),
    ),
    ...when((found.mode & 0o077) !== 0, () =>
      warning(
        `${path} is open to other users of the machine (mode ${(found.mode & 0o777).toString(8)})`,
        "Anybody who reads it can act as any user.",
        `chmod 600 ${path}`,
      ),
    ),
  ];
}

async function checkDatabaseFolder(folder: string): Promise<Finding[]> {
  try {
    await hasDatabase(join(folder, "postgres"));
    return [];
  } catch (reason) {
    return [
      error(
        (reason as Error).message,
        "The server does not start: it never creates a new database over what is there.",
        `Restore a backup into a new folder, or set DATA_DIR to another folder. Keep ${folder} until then.`,
      ),
    ];
  }
}

function checkFreeSpace(folder: string, bytes: number): Finding[] {
  if (bytes >= scarceBytes) return [];
  const level = bytes < fullBytes ? error : warning;
  return [
    level(
      `Only ${Math.floor(bytes / MiB)} MiB are free on the disk of ${folder}`,
      "On a full disk the database accepts no messages.",
      "Free disk space, enlarge the disk, or move the folder and set DATA_DIR.",
    ),
  ];
}
