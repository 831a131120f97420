import { randomBytes } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { StartError } from "../errors.ts";
import { createFolders, isNewDatabase } from "./embedded-folder.ts";
import { lockFolder } from "./folder-lock.ts";
import { shortPathTo } from "./short-path.ts";

/** A running embedded PostgreSQL. */
export interface Embedded {
  /** Connection URL for the `pg` driver. */
  url: string;
  /** Identifies its files: a copy of them has another identity. */
  files: string;
  /** Where and what it is, for people. */
  description: string;
  /** Resolves if the engine ends without `stop`. */
  died: Promise<Error>;
  /**
   * Copies the files of the database to a folder that does not exist, while requests wait. The copy is consistent.
   * @throws Error if it fails; nothing of the copy is left then
   */
  copyData(folder: string): Promise<void>;
  stop(): Promise<void>;
}

const lockName = "lock.sock";
const databaseSocketName = ".s.PGSQL.5432";

/**
 * Identifies the files of a database: unlike their content, the inode and the times of a file change when it is copied.
 * `PG_VERSION` is written once, when the database is created.
 */
async function identityOf(data: string): Promise<string> {
  const { ino, birthtimeNs, ctimeNs } = await stat(join(data, "PG_VERSION"), { bigint: true });
  return `${ino} ${birthtimeNs} ${ctimeNs}`;
}

interface WorkerData {
  dataDir: string;
  /** Where to create the database, if there is none. */
  newDataDir?: string;
  socketPath: string;
  /** Required of every connection. */
  password: string;
}

async function startWorker(workerData: WorkerData): Promise<Worker> {
  const worker = new Worker(new URL("./embedded-worker.js", import.meta.url), { workerData, execArgv: [] });
  const failure = await new Promise<string | undefined>((resolve) => {
    worker.once("message", (message: { failed?: string }) => resolve(message.failed));
    worker.once("error", (error) => resolve(error.message));
    worker.once("exit", () => resolve("the worker exited during start"));
  });
  if (failure) throw new StartError(`The embedded database in ${workerData.dataDir} cannot start: ${failure}`);
  // Not those of all events: the messages would not arrive any more.
  for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
  return worker;
}

/** Has the worker copy its data. One copy at a time: the answer of the worker does not say which one has ended. */
function copyData(worker: Worker, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error(`the files of the database cannot be copied: ${reason}`));
    const exited = () => fail("it has stopped");
    worker.once("exit", exited);
    worker.once("message", ({ copied, copyFailed }: { copied?: true; copyFailed?: string }) => {
      worker.off("exit", exited);
      if (copied) resolve();
      else fail(copyFailed ?? "it is being stopped");
    });
    worker.postMessage({ copyTo: folder });
  });
}

/**
 * Starts PostgreSQL inside this process (PGlite, in a worker thread) with its data in `dataDir`. The `pg` driver
 * connects through a Unix socket in that folder, with a password that only this process knows: PGlite is one session for
 * all connections, so another program could break ours.
 * @param options.mustExist whether a missing database is an error instead of being created
 * @throws StartError if another process uses the folder, or it holds no database that the engine can open
 */
export async function startEmbedded(dataDir: string, options = { mustExist: false }): Promise<Embedded> {
  const folders = await createFolders(dataDir, options);
  const sockets = await shortPathTo(folders.sockets);
  let unlock = async (): Promise<void> => {};
  const password = randomBytes(24).toString("base64url");
  const socketPath = join(sockets.path, databaseSocketName);
  let worker: Worker;
  try {
    unlock = await lockFolder(join(sockets.path, lockName), dataDir);
    const isNew = await isNewDatabase(folders);
    await rm(socketPath, { force: true });
    const { data, newData } = folders;
    worker = await startWorker({ dataDir: data, ...(isNew && { newDataDir: newData }), socketPath, password });
  } catch (error) {
    await unlock();
    await sockets.remove();
    throw error;
  }

  let stopping = false;
  let lastCopy: Promise<void> = Promise.resolve();
  const died = new Promise<Error>((resolve) => {
    worker.once("error", resolve);
    worker.once("exit", () => {
      if (!stopping) resolve(new Error("The embedded database has stopped unexpectedly"));
    });
  });

  return {
    files: await identityOf(folders.data),
    description: `embedded in ${folders.data}`,
    url: `postgres://postgres:${password}@localhost/postgres?host=${encodeURIComponent(sockets.path)}`,
    died,
    copyData(folder) {
      const copied = lastCopy.then(() => copyData(worker, folder));
      lastCopy = copied.catch(() => {});
      return copied;
    },
    async stop() {
      stopping = true;
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage({});
      await ended;
      await unlock();
      await sockets.remove();
    },
  };
}
