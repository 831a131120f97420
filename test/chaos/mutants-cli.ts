import { parseArgs } from "node:util";
import { type Conditions, conditions } from "./conditions.ts";
import { buildSdk } from "./mutant-sdk.ts";
import { buildServer } from "./mutant-server.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { ProcessClock } from "./process-clock.ts";
import { Random } from "./random.ts";
import { runChaos } from "./run.ts";

// npm run chaos:mutants [-- seed] [--only "part of a name"] [--count 2]
// Runs the checker against servers with one deliberate fault each, or with a faulty client, and against the unmodified server under the same
// conditions. Fails if a fault is not detected, or if anything is reported for the unmodified server.

const maxRounds = 10;
const { values, positionals } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    /** Runs this many, chosen by the seed. */
    count: { type: "string" },
  },
  allowPositionals: true,
});
const seed = Number(positionals[0] ?? Date.now() % 1_000_000);
interface Run extends Mutant {
  conditions: Conditions;
  isFaulty: boolean;
}

/** The unmodified server under all conditions, in which no violation may be found, and the mutants. */
const runs: Run[] = [
  ...Object.values<Conditions>(conditions).map((one) => ({
    name: one === conditions.usual ? "unmodified" : `unmodified: ${one.name}`,
    edits: [],
    conditions: one,
    isFaulty: false,
  })),
  ...mutants.map((mutant) => ({ conditions: conditions.usual, ...mutant, isFaulty: true })),
];
const selected = runs.filter(({ name }) => name.includes(values.only));
const random = new Random(seed);
const count = Number(values.count ?? selected.length);
while (selected.length > count) selected.splice(random.between(0, selected.length - 1), 1);

const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}`);
for (const run of selected) {
  const { name, isFaulty, rules, sdkEdits } = run;
  const { name: _, ...options } = run.conditions;
  if (run.conditions.faults?.includes("clockStep") && !ProcessClock.isAvailable) {
    print(`| ${name} | skipped: libfaketime is not installed | |`);
    continue;
  }
  const server = await buildServer(run);
  const sdk = sdkEdits && (await buildSdk(sdkEdits));
  try {
    const { log, faults, seconds } = await runChaos({
      seed,
      database: "server",
      rounds: maxRounds,
      people: 12,
      intervalMs: [300, 1000],
      minActions: 200,
      entry: server.entry,
      rules,
      ...(sdk && { createMessenger: sdk.createMessenger }),
      prepare: server.prepare,
      checkEachRound: true,
      shouldStop: ({ violations }) => violations.length > 0,
      ...options,
    });
    const kinds = [...new Set(log.violations.map(({ kind }) => kind))];
    const rounds = Object.values(faults).reduce((sum, count) => sum + count, 0);
    print(`| ${name} | ${kinds.join(", ") || "not detected"} | ${rounds} faults, ${Math.round(seconds)} s |`);
    if (isFaulty !== kinds.length > 0) {
      process.exitCode = 1;
      for (const { kind, details } of log.violations.slice(0, 10)) print(`${kind}: ${details}`);
    }
  } finally {
    await server.remove();
    await sdk?.remove();
  }
}
