// Loaded before our server (`--profile`): from a SIGUSR2 on takes a CPU profile of its main thread, and writes it when the
// process exits.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  process.once("SIGUSR2", () => {
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
  });
}
