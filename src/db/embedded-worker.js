import { rename, rm } from "node:fs/promises";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { copyFolder } from "./copy-folder.js";
import { listen } from "./embedded-socket.js";

// The embedded PostgreSQL, in a worker thread so that it does not block the event loop. Plain JavaScript, because worker
// threads of Node 20 cannot load TypeScript. A thread, not a process: it must not outlive a server that is killed.

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
/**
 * `newDataDir`: where to create the database, if there is none. It is renamed once it is complete, so that a killed
 * process leaves no half of a database under its final name.
 * @type {{ dataDir: string, newDataDir?: string, socketPath: string, password: string }}
 */
const { dataDir, newDataDir, socketPath, password } = workerData;

/**
 * Copies the data while no message of any connection is processed. The copy is what a killed engine leaves: another one
 * recovers it.
 * @param {PGlite} database
 * @param {string} folder
 * @returns {Promise<{ copied: true } | { copyFailed: string }>} if it failed, nothing of the copy is left
 */
function copyData(database, folder) {
  return database.runExclusive(async () => {
    try {
      copyFolder(dataDir, folder);
      return { copied: true };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      return { copyFailed: error instanceof Error ? error.message : String(error) };
    }
  });
}

try {
  if (newDataDir !== undefined) {
    const created = await PGlite.create({ dataDir: newDataDir });
    await created.close();
    await rename(newDataDir, dataDir);
  }
  const database = await PGlite.create({ dataDir });
  const closeSocket = await listen({ database, path: socketPath, password });
  port.on("message", async (/** @type {{ copyTo?: string }} */ { copyTo }) => {
    if (copyTo !== undefined) {
      port.postMessage(await copyData(database, copyTo));
      return;
    }
    await closeSocket();
    await database.close();
    port.postMessage({ stopped: true });
    port.close();
  });
  port.postMessage({ ready: true });
} catch (error) {
  port.postMessage({ failed: error instanceof Error ? error.message : String(error) });
  port.close();
}
