import { spawn } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "../..");

/** How a command of the command line ended. */
export interface CommandRun {
  code: number | null;
  output: string;
  errors: string;
}

/** Runs a command as administrators do. Variables that are missing would be read from `.env` in the folder. */
export function runCommand(
  words: readonly string[],
  settings: Record<string, string>,
  folder = root,
): Promise<CommandRun> {
  const env = { PATH: process.env.PATH ?? "", NODE_ENV: "test", DATABASE_URL: "", BCRYPT_COST: "4", ...settings };
  const child = spawn(process.execPath, [join(root, "scripts/start.mjs"), "cli/main", ...words], { cwd: folder, env });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdin.end();
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output, errors })));
}
