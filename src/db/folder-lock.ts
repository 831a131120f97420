import { lstat, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { StartError } from "../errors.ts";

/*
 * One process per data folder. The lock is a Unix socket on which its holder listens: it accepts connections as long as
 * the holder runs and stops the moment the holder exits, for whatever reason. A file with a process id cannot do this:
 * after kill -9 the id can belong to a zombie and later to another process.
 */

/** How long another process that found the lock abandoned as well can still replace ours, in milliseconds. */
const takeoverSettleMs = 50;

/** Returns the id of the process that listens at this path, or undefined if none does. */
function findHolder(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = createConnection(path);
    socket.setTimeout(1000, () => socket.destroy());
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(undefined);
      else resolve("unknown");
    });
    socket.on("close", () => resolve(answer || "unknown"));
  });
}

const listen = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on("error", () => {}).end(String(process.pid)));
    server.on("error", reject).listen(path, () => resolve(server));
  });

const inodeOf = (path: string): Promise<number | undefined> =>
  lstat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );

/**
 * Locks a folder, or a kind of work in it, for this process. The lock of a process that has exited is taken over at once.
 * @param path path of the lock's socket, short enough for a Unix socket
 * @param folder name of the folder in errors
 * @param describeHolder makes a sentence that names the process that holds the lock
 * @returns a function that releases the lock
 * @throws StartError with that sentence
 */
export async function lockFolder(
  path: string,
  folder: string,
  describeHolder = (holder: string) =>
    `The data folder ${folder} is in use by another messenger (process ${holder}). Stop it, or set DATA_DIR to another folder.`,
): Promise<() => Promise<void>> {
  const reject = (holder: string): never => {
    throw new StartError(describeHolder(holder));
  };
  let tookOver = false;
  for (;;) {
    try {
      const server = await listen(path);
      server.unref();
      if (tookOver) {
        const mine = await inodeOf(path);
        await wait(takeoverSettleMs);
        if (mine === undefined || (await inodeOf(path)) !== mine) reject("just started");
      }
      return () => new Promise((resolve) => server.close(() => resolve()));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
        throw new StartError(`The data folder ${folder} cannot be used: ${(error as Error).message}`);
      }
      const holder = await findHolder(path);
      if (holder !== undefined) reject(holder);
      await unlink(path).catch(() => {});
      tookOver = true;
    }
  }
}
