import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { makeTemplate } from "./databases.ts";
import { startRecording } from "./leak-scan.ts";

/** Builds the server, for tests that start it as a process, and creates the database template of the run. */
export default async function setUp(): Promise<void> {
  const root = join(__dirname, "../..");
  execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  startRecording();
  await makeTemplate();
}
