// `npm start`: builds if needed, then runs the server in this same process, so that it receives signals directly.
// An argument selects another entry point of `src`: `node scripts/start.mjs cli/reset-password ann@example.org`.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const help = `Usage: npm start

Builds the messenger if needed and starts it. All settings are environment variables, or lines of the file .env:
see .env.example and docs/operations/settings.md.

  npm start -- --help      prints this
  npm start -- --version   prints the version

Other commands: npm run
`;

/** @param {string} line */
function fail(line) {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

const [, , entry = "main", ...others] = process.argv;
/** A command is followed by its own arguments. */
const isCommand =
  /^cli\/[a-z-]+$/.test(entry) && [`src/${entry}.ts`, `dist/${entry}.js`].some((path) => existsSync(root + path));
if (["-h", "--help"].includes(entry)) {
  process.stdout.write(help);
  process.exit(0);
}
if (["-V", "--version"].includes(entry)) {
  process.stdout.write(`${JSON.parse(readFileSync(`${root}package.json`, "utf8")).version}\n`);
  process.exit(0);
}
if (!isCommand && (entry !== "main" || others.length > 0)) {
  fail(`Unknown argument: ${entry === "main" ? others[0] : entry}. For help: npm start -- --help`);
}

/** Path of the compiler; undefined after `npm ci --omit=dev`. */
function compiler() {
  try {
    return createRequire(import.meta.url)
      .resolve("typescript/package.json")
      .replace(/package\.json$/, "bin/tsc");
  } catch {
    return undefined;
  }
}

/** Why the build cannot be written, in words; undefined if it can, or is not there yet and the folder can be written. */
function whyReadOnly() {
  const files = [".tsbuildinfo", "main.js", "client.js", "console", "web"].map((name) => `${root}dist/${name}`);
  for (const path of [`${root}dist`, ...files].filter(existsSync)) {
    try {
      accessSync(path, constants.W_OK);
    } catch (error) {
      return String(/** @type {Error} */ (error).message);
    }
  }
  return undefined;
}

/**
 * Runs a step of the build. Exits if it fails.
 * @param {string[]} step script and arguments
 */
function build(...step) {
  const { status, stdout, stderr } = spawnSync(process.execPath, step, { encoding: "utf8" });
  if (status === 0) return;
  const output = `${stdout ?? ""}${stderr ?? ""}`;
  const reason = whyReadOnly() ?? /E(ACCES|ROFS|PERM)[^\n]*/.exec(output)?.[0];
  if (reason) {
    fail(
      `The build in ${root}dist cannot be written: ${reason}. Make the folder writable, or run \`npm run build\` as its owner.`,
    );
  }
  process.stderr.write(output);
  process.exit(status ?? 1);
}

const tsc = compiler();
const isBuilt = existsSync(`${root}dist/main.js`);
if (tsc) {
  // The steps write nothing if nothing has changed.
  build(tsc, "--build", `${root}tsconfig.build.json`);
  build(`${root}scripts/bundle-client.mjs`);
  build(`${root}scripts/build-web.mjs`);
} else if (!isBuilt) {
  fail("Not built, and the compiler is not installed: run `npm ci` without --omit=dev, then `npm run build`.");
}

// A command sees its own arguments only.
if (isCommand) process.argv.splice(2, 1);
await import(new URL(`../dist/${entry}.js`, import.meta.url).href);
