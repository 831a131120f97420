import { describe } from "@jest/globals";
import { canMakeClusters } from "./cluster.ts";
import { canStartRedis } from "./redis.ts";
import { canMount } from "./small-disk.ts";

/**
 * Tests that need a program this machine may not have: skipped with a line that says so, and failed where nothing may
 * be skipped (CI=true).
 */
function describeWith(what: string, found: boolean, title: string, tests: () => void): void {
  if (found || process.env.CI === "true") describe(title, tests);
  else skip(what, title, tests);
}

function skip(what: string, title: string, tests: () => void): void {
  process.stderr.write(`skipped, for want of ${what}: ${title}\n`);
  describe.skip(title, tests);
}

/** Tests on a disk of a certain size: only where one can be mounted, which few CI machines allow. */
export function describeWithDisk(title: string, tests: () => void): void {
  if (canMount()) describe(title, tests);
  else skip("the right to mount a disk", title, tests);
}

/** Tests that start a PostgreSQL server of their own. */
export const describeWithCluster = (title: string, tests: () => void): void =>
  describeWith("the programs of a PostgreSQL server", canMakeClusters, title, tests);

/** Tests that start a Redis of their own. */
export const describeWithRedis = (title: string, tests: () => void): void =>
  describeWith("redis-server", canStartRedis, title, tests);

/** Tests of several processes: on a PostgreSQL server and a Redis of their own. */
export const describeWithProcesses = (title: string, tests: () => void): void =>
  describeWith("redis-server or the programs of a PostgreSQL server", canStartRedis && canMakeClusters, title, tests);
