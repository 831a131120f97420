// `npm start`: builds what is not built, then becomes the server. One process, so that signals meet the server itself.
// With a name, becomes that entry of `src` instead: `node scripts/start.mjs cli/reset-password ann@example.org`.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The compiler, or undefined after `npm ci --omit=dev`. */
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
  // Does nothing when nothing has changed since the last build.
  const build = spawnSync(process.execPath, [tsc, "--build", `${root}tsconfig.build.json`], { stdio: "inherit" });
  if (build.status !== 0) process.exit(build.status ?? 1);
} else if (!existsSync(`${root}dist/main.js`)) {
  process.stderr.write(
    "There is no build, and no compiler to make one: run `npm ci` without --omit=dev, then `npm run build`.\n",
  );
  process.exit(1);
}

const [, , entry = "main"] = process.argv;
await import(new URL(`../dist/${entry}.js`, import.meta.url).href);
