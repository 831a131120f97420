// `npm start`: builds if needed, then runs the server in this same process, so that it receives signals directly.
// An argument selects another entry point of `src`: `node scripts/start.mjs cli/reset-password ann@example.org`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

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

const tsc = compiler();
if (tsc) {
  // Incremental: does nothing if nothing has changed.
  const build = spawnSync(process.execPath, [tsc, "--build", `${root}tsconfig.build.json`], { stdio: "inherit" });
  if (build.status !== 0) process.exit(build.status ?? 1);
} else if (!existsSync(`${root}dist/main.js`)) {
  process.stderr.write(
    "Not built, and the compiler is not installed: run `npm ci` without --omit=dev, then `npm run build`.\n",
  );
  process.exit(1);
}

const [, , entry = "main"] = process.argv;
await import(new URL(`../dist/${entry}.js`, import.meta.url).href);
