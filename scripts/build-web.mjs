// Builds packages/web into dist/web, with a brotli and a gzip version of every text. Also run by `npm start`.
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, gzip, constants as zlib } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = join(root, "dist/web");

/** What a build was made of, as a hash; the server does not serve files whose name begins with a dot. */
const inputsFile = ".inputs";

const sources = ["packages/web", "packages/client/src"];
const otherInputs = ["package-lock.json", "scripts/build-web.mjs"];

/** Texts that are sent as they are. The server changes the page and the manifest before it compresses them. */
const compressed = new Set([".js", ".css", ".svg", ".json"]);

/**
 * The files below a folder, as paths below the root.
 * @param {string} folder
 * @returns {string[]}
 */
function filesIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesIn(path) : [path];
    });
}

function hashOfInputs() {
  const hash = createHash("sha256");
  for (const path of [...sources.flatMap(filesIn).sort(), ...otherInputs]) {
    hash.update(`${path}\0`).update(
      createHash("sha256")
        .update(readFileSync(join(root, path)))
        .digest(),
    );
  }
  return hash.digest("hex");
}

function builtFrom() {
  try {
    return readFileSync(join(output, inputsFile), "utf8");
  } catch {
    return undefined;
  }
}

/** @param {string} path */
async function compress(path) {
  const text = readFileSync(path);
  const params = { [zlib.BROTLI_PARAM_QUALITY]: zlib.BROTLI_MAX_QUALITY };
  writeFileSync(`${path}.br`, await promisify(brotliCompress)(text, { params }));
  writeFileSync(`${path}.gz`, await promisify(gzip)(text, { level: zlib.Z_BEST_COMPRESSION }));
}

/**
 * @param {string} folder
 * @param {string} inputs
 */
function moveToOutput(folder, inputs) {
  rmSync(output, { recursive: true, force: true });
  try {
    renameSync(folder, output);
  } catch (error) {
    // Another process has built the same.
    if (builtFrom() !== inputs) throw error;
  }
}

/** Builds `dist/web`, unless it is up to date: the folder may be read-only. */
export async function buildWeb() {
  const inputs = hashOfInputs();
  if (builtFrom() === inputs) return;
  // Of Vite, which would otherwise make a development build in tests.
  process.env.NODE_ENV = "production";
  const { build } = await import("vite");
  // Another process may be reading the old build, or building too.
  const unfinished = join(root, `dist/.web-${randomUUID()}`);
  mkdirSync(unfinished, { recursive: true });
  try {
    await build({ root: join(root, "packages/web"), logLevel: "error", build: { outDir: unfinished } });
    const files = readdirSync(unfinished, { recursive: true, encoding: "utf8" });
    await Promise.all(
      files.filter((path) => compressed.has(extname(path))).map((path) => compress(join(unfinished, path))),
    );
    writeFileSync(join(unfinished, inputsFile), inputs);
    rmSync(output, { recursive: true, force: true });
    moveToOutput(unfinished, inputs);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb();
