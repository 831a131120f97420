// Bundles the code that the server sends to browsers as it is: packages/client as /client.js, and packages/console for the
// page about the WebSocket. Also run by `npm start`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where each bundle is written, and its entry. */
const bundles = {
  "dist/client.js": "packages/client/src/index.ts",
  "dist/console/console.js": "packages/console/src/main.ts",
  "dist/console/console.css": "packages/console/src/console.css",
};

/** Files that are copied. */
const copies = { "dist/console/icon.svg": "packages/web/public/icon.svg" };

/**
 * An entry with what it imports, minified. With its metafile, which has the size of each part.
 * @param {string} entry
 */
async function bundle(entry) {
  const { build } = await import("esbuild");
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  return { code: result.outputFiles[0]?.contents ?? new Uint8Array(), metafile: result.metafile };
}

/** The main entry of the client. */
export const bundleClient = () => bundle("packages/client/src/index.ts");

/** @param {string} path */
function written(path) {
  try {
    return readFileSync(root + path);
  } catch {
    return undefined;
  }
}

/**
 * Writes a file, unless it is up to date: the folder may be read-only.
 * @param {string} path
 * @param {Uint8Array} content
 */
function write(path, content) {
  if (written(path)?.equals(content)) return;
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, content);
}

async function writeBundles() {
  for (const [path, entry] of Object.entries(bundles)) write(path, (await bundle(entry)).code);
  for (const [path, source] of Object.entries(copies)) write(path, readFileSync(root + source));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeBundles();
