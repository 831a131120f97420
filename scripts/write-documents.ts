import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { asyncApiDocument } from "../src/docs/asyncapi.ts";
import { clientProtocol } from "../src/docs/client-protocol.ts";
import { openApiDocument } from "../src/docs/openapi.ts";
import { routes } from "../src/http/registry.ts";
import { registry } from "../src/ws/registry.ts";
import { clientReference } from "./client-reference.ts";
import { envExample, settingsPage } from "./settings-documents.ts";

// Writes every file that follows from the source; with --check, only reports those that differ.

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { version }: { version: string } = JSON.parse(read("package.json"));

const json = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** The text as `npm run format` would write it. */
const formatted = (path: string, text: string): string =>
  execFileSync(join(root, "node_modules/.bin/biome"), ["format", `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: "utf8",
  });

const protocolPath = "packages/client/src/protocol.ts";

// Made in this order: the reference of the client is made from its protocol.
const files: readonly { path: string; content: () => string }[] = [
  { path: "docs/api/openapi.json", content: () => json(openApiDocument(routes, version)) },
  { path: "docs/api/asyncapi.json", content: () => json(asyncApiDocument(registry.values(), version)) },
  { path: protocolPath, content: () => formatted(protocolPath, clientProtocol([...registry.values()], routes)) },
  { path: "packages/client/docs/api.md", content: clientReference },
  { path: "docs/operations/settings.md", content: settingsPage },
  { path: ".env.example", content: envExample },
];

function current(path: string): string | undefined {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}

const checkOnly = process.argv.includes("--check");
for (const { path, content: make } of files) {
  const content = make();
  if (current(path) === content) continue;
  if (checkOnly) {
    process.stderr.write(`${path} differs from the source: run \`npm run docs\`\n`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    process.stdout.write(`${path} written\n`);
  }
}
