import { expect, test } from "@jest/globals";
import { runChaos } from "./chaos/run.ts";
import { napBeforeInserts } from "./chaos/delays.ts";
import { onServer } from "./support/databases.ts";
import { describeWithCluster } from "./support/prerequisites.ts";

/* A short run of the checker, over a database that naps now and then; `npm run chaos` is the long one. */

const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1_000_000));

async function aShortRun(database: "embedded" | "server"): Promise<void> {
  const { log, faults } = await runChaos({
    seed,
    database,
    rounds: 4,
    people: 8,
    calmMs: [300, 1000],
    prepare: napBeforeInserts,
  });
  expect({ seed, violations: log.violations }).toEqual({ seed, violations: [] });
  expect(Object.values(faults).reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(log.counts.acknowledged).toBeGreaterThan(20);
}

if (onServer) {
  describeWithCluster("a server that is killed, and whose database is restarted", () => {
    test("loses nothing, repeats nothing and tells everybody the same", () => aShortRun("server"), 180_000);
  });
} else {
  test(
    "a server that is killed with its embedded database loses nothing, repeats nothing and tells everybody the same",
    () => aShortRun("embedded"),
    180_000,
  );
}
