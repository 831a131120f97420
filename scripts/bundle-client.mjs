// Bundles packages/client into one ES module, which the server serves as /client.js. Also run by `npm start`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bundlePath = `${root}dist/client.js`;

/** The main entry of the client as one minified module. With its metafile, which has the size of each part. */
export async function bundleClient() {
  const { build } = await import("esbuild");
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["packages/client/src/index.ts"],
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

function written() {
  try {
    return readFileSync(bundlePath);
  } catch {
    return undefined;
  }
}

/** Writes `dist/client.js`, unless it is up to date: the folder may be read-only. */
export async function writeClientBundle() {
  const { code } = await bundleClient();
  if (written()?.equals(code)) return;
  mkdirSync(dirname(bundlePath), { recursive: true });
  writeFileSync(bundlePath, code);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeClientBundle();
