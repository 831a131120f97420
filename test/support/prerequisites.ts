import { spawnSync } from "node:child_process";
import { describe } from "@jest/globals";
import { canStartChromium } from "./chromium.ts";
import { canCreateClusters } from "./cluster.ts";
import { canStartCaddy, canStartNginx } from "./proxies.ts";
import { canStartRedis } from "./redis.ts";
import { canMount } from "./small-disk.ts";

/**
 * Declares tests that need an optional program. Without it they are skipped with a printed line; with CI=true they run
 * anyway and fail.
 */
function describeIfAvailable(requirement: string, found: boolean, title: string, tests: () => void): void {
  if (found || process.env.CI === "true") describe(title, tests);
  else skipTests(requirement, title, tests);
}

function skipTests(requirement: string, title: string, tests: () => void): void {
  process.stderr.write(`skipped, needs ${requirement}: ${title}\n`);
  describe.skip(title, tests);
}

/** Tests on a disk of limited size. Skipped where no disk can be mounted, in CI too. */
export function describeWithDisk(title: string, tests: () => void): void {
  if (canMount()) describe(title, tests);
  else skipTests("permission to mount a disk", title, tests);
}

/** Tests that start their own PostgreSQL server. */
export const describeWithCluster = (title: string, tests: () => void): void =>
  describeIfAvailable("the PostgreSQL server binaries", canCreateClusters, title, tests);

/** Tests that start their own Redis. */
export const describeWithRedis = (title: string, tests: () => void): void =>
  describeIfAvailable("redis-server", canStartRedis, title, tests);

/** Tests of pages in a browser. */
export const describeWithChromium = (title: string, tests: () => void): void =>
  describeIfAvailable("Chromium", canStartChromium, title, tests);

/** Tests of programs on a terminal, which `script` gives them. */
export const describeOnTerminal = (title: string, tests: () => void): void =>
  describeIfAvailable("script (util-linux)", spawnSync("script", ["--version"]).status === 0, title, tests);

/** Tests of several server processes with their own PostgreSQL server and Redis. */
export const describeWithProcesses = (title: string, tests: () => void): void =>
  describeIfAvailable(
    "redis-server and the PostgreSQL server binaries",
    canStartRedis && canCreateClusters,
    title,
    tests,
  );

/** Tests of several server processes behind nginx. */
export const describeWithNginx = (title: string, tests: () => void): void =>
  describeIfAvailable(
    "nginx, openssl, redis-server and the PostgreSQL server binaries",
    canStartNginx && canStartRedis && canCreateClusters,
    title,
    tests,
  );

/** The same behind Caddy, which few have installed: skipped without it, in CI too. */
export function describeWithCaddy(title: string, tests: () => void): void {
  if (canStartCaddy && canStartRedis && canCreateClusters) describe(title, tests);
  else skipTests("caddy", title, tests);
}
