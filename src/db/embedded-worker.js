import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

// The embedded PostgreSQL, in a worker thread so that it does not block the event loop. Plain JavaScript, because worker
// threads of Node 20 cannot load TypeScript. A thread, not a process: it must not outlive a server that is killed.

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
/** @type {{ dataDir: string, socketPath: string }} */
const { dataDir, socketPath } = workerData;

try {
  const database = await PGlite.create({ dataDir });
  const server = new PGLiteSocketServer({ db: database, path: socketPath, maxConnections: 8 });
  await server.start();
  port.once("message", async () => {
    await server.stop();
    await database.close();
    port.postMessage({ stopped: true });
    port.close();
  });
  port.postMessage({ ready: true });
} catch (error) {
  port.postMessage({ failed: error instanceof Error ? error.message : String(error) });
  port.close();
}
