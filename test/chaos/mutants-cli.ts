import { parseArgs } from "node:util";
import { buildServer, type Mutant, mutants } from "./mutants.ts";
import { Random } from "./random.ts";
import { runChaos } from "./run.ts";

// npm run chaos:mutants [-- seed] [--only "part of a name"] [--count 2]
// Runs the checker against servers with one deliberate fault each. Fails if a fault is not detected.

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
/** Includes the unmodified server, in which no violation may be found. */
const selected = [undefined, ...mutants].filter((mutant) => nameOf(mutant).includes(values.only));
const random = new Random(seed);
const count = Number(values.count ?? selected.length);
while (selected.length > count) selected.splice(random.between(0, selected.length - 1), 1);

function nameOf(mutant: Mutant | undefined): string {
  return mutant?.name ?? "unmodified";
}

const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}`);
for (const mutant of selected) {
  const server = await buildServer(mutant);
  try {
    const { log, faults, seconds } = await runChaos({
      seed,
      database: "server",
      rounds: maxRounds,
      people: 12,
      intervalMs: [300, 1000],
      minActions: 200,
      entry: server.entry,
      rules: mutant?.rules,
      prepare: server.prepare,
      checkEachRound: true,
      shouldStop: ({ violations }) => violations.length > 0,
    });
    const kinds = [...new Set(log.violations.map(({ kind }) => kind))];
    const rounds = Object.values(faults).reduce((sum, count) => sum + count, 0);
    print(`| ${nameOf(mutant)} | ${kinds.join(", ") || "not detected"} | ${rounds} faults, ${Math.round(seconds)} s |`);
    if (mutant ? kinds.length === 0 : kinds.length > 0) {
      process.exitCode = 1;
      for (const { kind, details } of log.violations.slice(0, 10)) print(`${kind}: ${details}`);
    }
  } finally {
    await server.remove();
  }
}
