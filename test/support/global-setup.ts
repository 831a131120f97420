import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { makeTemplate } from "./databases.ts";
import { keepEvidence } from "./leak-scan.ts";

/** Builds once, for the tests that start the server as its users do, and makes the database all others are copied from. */
export default async function setUp(): Promise<void> {
  const root = join(__dirname, "../..");
  execFileSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  keepEvidence();
  await makeTemplate();
}
