import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "../..");

/** What a command has printed, and its exit code. */
export interface Run {
  code: number | null;
  output: string;
  errors: string;
}

/** Starts a command of the build. Variables that are missing would be read from `.env`. */
export function startCommand(
  words: readonly string[],
  settings: Record<string, string>,
): { child: ChildProcess; ended: Promise<Run> } {
  const env = { PATH: process.env.PATH ?? "", NODE_ENV: "test", DATABASE_URL: "", BCRYPT_COST: "4", ...settings };
  const child = spawn(process.execPath, [join(root, "dist/cli/main.js"), ...words], { cwd: root, env });
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

/** Runs a command of the build and waits for its end. */
export const runCommand = (words: readonly string[], settings: Record<string, string>): Promise<Run> =>
  startCommand(words, settings).ended;
