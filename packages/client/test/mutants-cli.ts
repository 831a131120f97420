import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import jestConfig from "../../../jest.config.ts";
import { type Mutant, mutants } from "./mutants.ts";

// npm run client:mutants [-- "part of a name"]
// Runs the tests of the client SDK against copies with one deliberate fault each. Fails if a fault is not detected.

/** The tests that use the model server. */
const files = ["account", "exit", "model", "outbox", "personal-state", "reactions", "session", "sync", "timeline"].map(
  (name) => `test/${name}.test.ts`,
);
const root = fileURLToPath(new URL("../../..", import.meta.url));
const client = join(root, "packages/client");

const only = process.argv[2] ?? "";
const copy = join(client, ".mutant");
try {
  for (const mutant of [undefined, ...mutants]) {
    const name = mutant?.name ?? "unmodified";
    if (!name.includes(only)) continue;
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const folder of ["src", "test"]) cpSync(join(client, folder), join(copy, folder), { recursive: true });
    for (const edit of mutant?.edits ?? []) apply(edit);
    const { output, status } = test();
    const caught = [...output.matchAll(/^\s*✕ (.*?)(?: \(\d.*)?$/gm)].map(([, title]) => title);
    process.stdout.write(`| ${name} | ${caught.join("; ") || "not detected"} |\n`);
    if (mutant ? caught.length > 0 : status === 0) continue;
    process.exitCode = 1;
    process.stdout.write(output);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function test(): { output: string; status: number | null } {
  const { transform } = (jestConfig.projects ?? []).find((project) => typeof project === "object") ?? {};
  const config = { rootDir: copy, testEnvironment: "node", testTimeout: 30_000, transform };
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/jest/bin/jest.js"),
      "--runInBand",
      "--verbose",
      "--config",
      JSON.stringify(config),
      ...files,
    ],
    { cwd: root, encoding: "utf8", env: { ...process.env, MODEL_SEED: process.env.MODEL_SEED ?? "1" } },
  );
  return { output: stdout + stderr, status };
}

/** @throws Error unless the text occurs exactly once */
function apply({ in: file, from, to }: Mutant["edits"][number]): void {
  const path = join(copy, "src", file);
  const source = readFileSync(path, "utf8");
  if (source.split(from).length !== 2) throw new Error(`a mutant no longer applies to ${file}: ${from}`);
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
}
