import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { StartError } from "../errors.ts";
import { lockFolder } from "./folder-lock.ts";

/** A running embedded PostgreSQL. */
export interface Embedded {
  /** Connection URL for the `pg` driver. */
  url: string;
  /** Resolves if the engine ends without `stop`. */
  died: Promise<Error>;
  stop(): Promise<void>;
}

/** Longest path of a Unix socket, in bytes: 104 on macOS and 108 on Linux, including the terminator. */
const maxSocketPathBytes = 103;
const lockName = "lock.sock";
const databaseSocketName = ".s.PGSQL.5432";

/** A path short enough for sockets in the folder: its own, or a symbolic link in the temporary folder. */
async function shortPathTo(folder: string): Promise<{ path: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(join(folder, databaseSocketName)) <= maxSocketPathBytes) {
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
    worker.once("exit", () => resolve("the worker exited during start"));
  });
  if (failure) throw new StartError(`The embedded database in ${workerData.dataDir} cannot start: ${failure}`);
  worker.removeAllListeners();
  return worker;
}

/** Creates the data folders, closed to other users of the machine: the database's socket requires no password. */
async function createFolders(dataDir: string): Promise<{ data: string; sockets: string }> {
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
 * Starts PostgreSQL inside this process (PGlite, in a worker thread) with its data in `dataDir`. The `pg` driver
 * connects through a Unix socket in that folder.
 * @throws StartError if another process uses the folder or the engine cannot open its data
 */
export async function startEmbedded(dataDir: string): Promise<Embedded> {
  const folders = await createFolders(dataDir);
  const sockets = await shortPathTo(folders.sockets);
  const unlock = await lockFolder(join(sockets.path, lockName), dataDir);

  const socketPath = join(sockets.path, databaseSocketName);
  await rm(socketPath, { force: true });
  const worker = await startWorker({ dataDir: folders.data, socketPath });

  let stopping = false;
  const died = new Promise<Error>((resolve) => {
    worker.once("error", resolve);
    worker.once("exit", () => {
      if (!stopping) resolve(new Error("The embedded database has stopped unexpectedly"));
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
