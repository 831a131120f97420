// Loaded into every compared server. SIGWINCH starts a garbage collection. SIGUSR2 starts a CPU
// profile of the main thread, which is written to PROFILE_DIR when the process exits.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

function startProfile() {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.start");
  process.once("exit", () => {
    session.post("Profiler.stop", (_error, { profile }) => {
      const folder = process.env.PROFILE_DIR ?? ".";
      writeFileSync(join(folder, `messenger-${process.pid}.cpuprofile`), JSON.stringify(profile));
    });
  });
}

/** Collects garbage as thoroughly as V8 does after some idle minutes, including the release of unused memory. */
function collectGarbage() {
  const session = new Session();
  session.connect();
  // Not disconnected: disconnecting in the callback would hang the process.
  session.post("HeapProfiler.collectGarbage");
}

if (isMainThread) {
  process.once("SIGUSR2", startProfile);
  process.on("SIGWINCH", collectGarbage);
}
