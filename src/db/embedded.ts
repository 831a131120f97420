import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { StartError } from "../errors.ts";
import { lockFolder } from "./folder-lock.ts";

/** A running embedded PostgreSQL. */
export interface Embedded {
  /** Where the `pg` driver finds it, as a connection URL. */
  url: string;
  /** Settles when the engine has died without being asked to. */
  died: Promise<Error>;
  stop(): Promise<void>;
}

/** The kernel keeps a Unix socket's path in 104 bytes (macOS) or 108 (Linux), the end mark included. */
const longestSocketPath = 103;
const lockName = "lock.sock";
const databaseSocketName = ".s.PGSQL.5432";

/** The folder under a name short enough for the sockets in it: itself, or a link to it from the temporary folder. */
async function shortNameOf(folder: string): Promise<{ path: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(join(folder, databaseSocketName)) <= longestSocketPath) {
    return { path: folder, remove: async () => {} };
  }
  const parent = await mkdtemp(join(tmpdir(), "messenger-"));
  const path = join(parent, "data");
  await symlink(folder, path);
  return { path, remove: () => rm(parent, { recursive: true, force: true }) };
}

async function startWorker(workerData: { dataDir: string; socketPath: string }): Promise<Worker> {
  const worker = new Worker(new URL("./embedded-worker.js", import.meta.url), { workerData, execArgv: [] });
  const failure = await new Promise<string | undefined>((resolve) => {
    worker.once("message", (message: { failed?: string }) => resolve(message.failed));
    worker.once("error", (error) => resolve(error.message));
    worker.once("exit", () => resolve("it ended while starting"));
  });
  if (failure) throw new StartError(`The embedded database in ${workerData.dataDir} does not start: ${failure}`);
  worker.removeAllListeners();
  return worker;
}

/** Makes the folders of the data: closed to other users of the machine, since the database's socket asks no password. */
async function openFolders(dataDir: string): Promise<{ data: string; sockets: string }> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const folder = await realpath(dataDir);
    const [data, sockets] = [join(folder, "postgres"), join(folder, "sockets")];
    for (const path of [data, sockets]) await mkdir(path, { recursive: true, mode: 0o700 });
    return { data, sockets };
  } catch (error) {
    throw new StartError(`The data folder ${dataDir} cannot be used: ${(error as Error).message}`);
  }
}

/**
 * Starts PostgreSQL inside this process (PGlite, in a worker thread), with its data in `dataDir`, spoken to by the
 * ordinary driver through a Unix socket in that folder.
 * @throws StartError when another process uses the folder, or the engine refuses its data
 */
export async function startEmbedded(dataDir: string): Promise<Embedded> {
  const folders = await openFolders(dataDir);
  const sockets = await shortNameOf(folders.sockets);
  const unlock = await lockFolder(join(sockets.path, lockName), dataDir);

  const socketPath = join(sockets.path, databaseSocketName);
  await rm(socketPath, { force: true });
  const worker = await startWorker({ dataDir: folders.data, socketPath });

  let stopping = false;
  const died = new Promise<Error>((resolve) => {
    worker.once("error", resolve);
    worker.once("exit", () => {
      if (!stopping) resolve(new Error("The embedded database has ended"));
    });
  });

  return {
    url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(sockets.path)}`,
    died,
    async stop() {
      stopping = true;
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage("stop");
      await ended;
      await unlock();
      await sockets.remove();
    },
  };
}
