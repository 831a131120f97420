// Loaded before every contestant: what can only be done from inside. SIGWINCH collects the garbage; SIGUSR2 starts a CPU
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

/** As thoroughly as V8 does it by itself when a process has been quiet for some minutes: what is empty is given back. */
function collectGarbage() {
  const session = new Session();
  session.connect();
  // Left connected: to disconnect from within the answer would hang the process.
  session.post("HeapProfiler.collectGarbage");
}

if (isMainThread) {
  process.once("SIGUSR2", startProfile);
  process.on("SIGWINCH", collectGarbage);
}
