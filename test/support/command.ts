import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { testFlags } from "./process.ts";

const root = join(__dirname, "../..");

/** What a command has printed, and its exit code. */
export interface Run {
  code: number | null;
  output: string;
  errors: string;
}

/** Starts a command of the build in a folder. Variables that are missing would be read from `.env` there. */
export function startCommand(
  words: readonly string[],
  settings: Record<string, string>,
  folder = root,
): { child: ChildProcess; ended: Promise<Run> } {
  const env = { PATH: process.env.PATH ?? "", NODE_ENV: "test", DATABASE_URL: "", BCRYPT_COST: "4", ...settings };
  const entry = join(root, "dist/cli/main.js");
  const child = spawn(process.execPath, [...testFlags, entry, ...words], { cwd: folder, env });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdin.end();
  return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, output, errors }))) };
}

/** Runs a command of the build in a folder and waits for its end. */
export const runCommand = (...parameters: Parameters<typeof startCommand>): Promise<Run> =>
  startCommand(...parameters).ended;
