import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { asyncApiDocument } from "../src/docs/asyncapi.ts";
import { openApiDocument } from "../src/docs/openapi.ts";
import { routes } from "../src/http/registry.ts";
import { registry } from "../src/ws/registry.ts";

// Writes the OpenAPI and AsyncAPI documents to `docs/api`. With --check, only reports whether the files are current.

const folder = new URL("../docs/api/", import.meta.url);
const { version }: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

const documents = {
  "openapi.json": openApiDocument(routes, version),
  "asyncapi.json": asyncApiDocument(registry.values(), version),
};

const readCurrent = (path: URL): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const checkOnly = process.argv.includes("--check");
mkdirSync(folder, { recursive: true });
for (const [name, document] of Object.entries(documents)) {
  const path = new URL(name, folder);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (readCurrent(path) === text) continue;
  if (checkOnly) {
    process.stderr.write(`docs/api/${name} is out of date: run \`npm run docs\`\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    process.stdout.write(`docs/api/${name} written\n`);
  }
}
