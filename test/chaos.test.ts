import { expect, test } from "@jest/globals";
import { delayInserts } from "./chaos/delays.ts";
import { runChaos } from "./chaos/run.ts";
import { onServer } from "./support/databases.ts";
import { describeWithCluster } from "./support/prerequisites.ts";

/* A short run of the checker with random delays in the database. `npm run chaos` is the long one. */

const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000));

async function shortRun(database: "embedded" | "server"): Promise<void> {
  const { log, faults } = await runChaos({
    seed,
    database,
    rounds: 4,
    people: 8,
    intervalMs: [300, 1000],
    prepare: delayInserts,
  });
  expect({ seed, violations: log.violations }).toEqual({ seed, violations: [] });
  expect(Object.values(faults).reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(log.counts.acknowledged).toBeGreaterThan(20);
}

if (onServer) {
  describeWithCluster("a server that is killed and whose database is restarted", () => {
    test("loses and duplicates nothing, and all clients end with the same state", () => shortRun("server"), 180_000);
  });
} else {
  test(
    "a server that is killed with its embedded database loses and duplicates nothing, and all clients end with the same state",
    () => shortRun("embedded"),
    180_000,
  );
}
