// Loaded before our server (`--profile`): writes a CPU profile of its main thread when the process exits.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
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
