// Loaded before every contestant: what can only be done from inside. SIGWINCH collects the garbage; SIGUSR2 starts a CPU
// profile of the main thread, which is written to PROFILE_DIR when the process exits.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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

function collectGarbage() {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

if (isMainThread) {
  process.once("SIGUSR2", startProfile);
  process.on("SIGWINCH", collectGarbage);
}
