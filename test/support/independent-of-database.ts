import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/*
 * Which test files have a point in being run again with the databases on a server. The others do not use the databases
 * of the tests, create servers of their own, or are about something else.
 */

const databases = join(__dirname, "databases.ts");

/** Tests of the edges of a process: they need some database, and the same statements run in other tests as well. */
const aboutEdges = new Set(
  [
    ...["admission-control", "bad-frames", "broken-connections", "client-module", "documents", "forged-tokens"],
    ...["heartbeat", "http-edge", "limits", "metrics", "monitoring", "passwords", "redis-outage", "rejected-requests"],
    ...["request-log", "secret-rotation", "slow-readers", "web-client-routes", "websocket-console"],
  ].map((name) => `${name}.test.ts`),
);

/** @returns the paths of test files below a folder that run the same whatever TEST_DATABASE_URL is */
export function independentOfDatabase(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  return files
    .filter((file) => {
      const path = join(folder, file);
      return aboutEdges.has(file) || bringsOwnServer(readFileSync(path, "utf8")) || !reaches(path, databases);
    })
    .map((file) => join(folder, file));
}

const bringsOwnServer = (text: string): boolean =>
  text.includes("Cluster.create(") && !/makeDatabase|useMessenger|useProcesses|onServer/.test(text);

/** Whether a file imports another one of the tests, directly or through others. */
function reaches(file: string, target: string, seen = new Set<string>()): boolean {
  if (file === target) return true;
  if (seen.has(file)) return false;
  seen.add(file);
  const imports = [...readFileSync(file, "utf8").matchAll(/ from "(\.[^"]+\.ts)"/g)];
  return imports.some(([, path = ""]) => !path.includes("/src/") && reaches(join(dirname(file), path), target, seen));
}
