import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "../..");

/** What a command has printed, and its exit code. */
export interface Run {
  code: number | null;
  output: string;
  errors: string;
}

/** What `npm run messenger` runs: it builds first if needed, and then runs the built command line in the same process. */
const script = ["scripts/start.mjs", "cli/main"];
const built = ["dist/cli/main.js"];

/** Starts a command of the build. Variables that are missing would be read from `.env`. */
export function startCommand(
  words: readonly string[],
  settings: Record<string, string>,
  [entry = "", ...first]: readonly string[] = built,
): { child: ChildProcess; ended: Promise<Run> } {
  const env = { PATH: process.env.PATH ?? "", NODE_ENV: "test", DATABASE_URL: "", BCRYPT_COST: "4", ...settings };
  const child = spawn(process.execPath, [join(root, entry), ...first, ...words], { cwd: root, env });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, output, errors }))) };
}

/** Runs a command as administrators do and waits for its end. */
export const runScript = (words: readonly string[], settings: Record<string, string>): Promise<Run> =>
  startCommand(words, settings, script).ended;

/** Runs a command of the build and waits for its end. */
export const runCommand = (words: readonly string[], settings: Record<string, string>): Promise<Run> =>
  startCommand(words, settings).ended;
