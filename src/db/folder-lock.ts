import { lstat, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { StartError } from "../errors.ts";

/*
 * One process per data folder. The lock is a Unix socket that its holder listens on: it answers while the holder
 * lives, and stops answering in the moment it dies, however it dies. A file with a process id can do neither (after
 * kill -9 the id stays alive as a zombie, and later belongs to somebody else).
 */

/** After taking over a dead lock, how long another process that saw it dead at the same moment may still replace ours. */
const takeoverSettleMs = 50;

/** The process that listens at this path, or undefined when nobody does. */
function askHolder(path: string): Promise<string | undefined> {
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
    (found) => found.ino,
    () => undefined,
  );

/**
 * Takes the folder for this process; a dead holder's lock is taken over at once.
 * @param path of the lock's socket, short enough for a Unix socket
 * @param folder its name for the error
 * @returns what gives the folder back
 * @throws StartError naming the folder and the process that holds it
 */
export async function lockFolder(path: string, folder: string): Promise<() => Promise<void>> {
  const refuse = (holder: string): never => {
    throw new StartError(
      `The data folder ${folder} is in use by another messenger (process ${holder}). Stop it, or set DATA_DIR to another folder.`,
    );
  };
  let tookOver = false;
  for (;;) {
    try {
      const server = await listen(path);
      server.unref();
      if (tookOver) {
        const mine = await inodeOf(path);
        await wait(takeoverSettleMs);
        if (mine === undefined || (await inodeOf(path)) !== mine) refuse("just started");
      }
      return () => new Promise((resolve) => server.close(() => resolve()));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      const holder = await askHolder(path);
      if (holder !== undefined) refuse(holder);
      await unlink(path).catch(() => {});
      tookOver = true;
    }
  }
}
