import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";

const root = join(__dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

test("decision 8 names every runtime dependency with its release, and no other", () => {
  const { dependencies, optionalDependencies } = JSON.parse(read("package.json"));
  const { packages } = JSON.parse(read("package-lock.json"));
  const names = Object.keys({ ...dependencies, ...optionalDependencies });
  const installed = names.map((name) => `${name} ${packages[`node_modules/${name}`].version}`);
  const rows = [...read("docs/decisions/008-dependencies.md").matchAll(/^\| `([^`]+)` \|.*\| (\S+), [\d-]+ \|/gm)];
  expect(rows.map(([, name, version]) => `${name} ${version}`).sort()).toEqual(installed.sort());
});
