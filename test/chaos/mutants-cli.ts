import { parseArgs } from "node:util";
import { type Mutant, makeServer, mutants } from "./mutants.ts";
import { Random } from "./random.ts";
import { runChaos } from "./run.ts";

// npm run chaos:mutants [-- seed] [--only "a part of a name"] [--count 2]
// The checker against servers with a fault each. Fails if one of them is not noticed.

const mostRounds = 10;
const { values, positionals } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    /** So many of them, drawn by the seed. */
    count: { type: "string" },
  },
  allowPositionals: true,
});
const seed = Number(positionals[0] ?? Date.now() % 1_000_000);
/** The server as it is stands among them: there, nothing may be noticed. */
const all = [undefined, ...mutants].filter((mutant) => nameOf(mutant).includes(values.only));
const random = new Random(seed);
const count = Number(values.count ?? all.length);
while (all.length > count) all.splice(random.between(0, all.length - 1), 1);

function nameOf(mutant: Mutant | undefined): string {
  return mutant?.name ?? "as it is";
}

const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}`);
for (const mutant of all) {
  const server = await makeServer(mutant);
  try {
    const { log, faults, seconds } = await runChaos({
      seed,
      database: "server",
      rounds: mostRounds,
      people: 12,
      calmMs: [300, 1000],
      leastActs: 200,
      entry: server.entry,
      prepare: server.prepare,
      judgeEachRound: true,
      isEnough: ({ violations }) => violations.length > 0,
    });
    const kinds = [...new Set(log.violations.map(({ violation }) => violation))];
    const rounds = Object.values(faults).reduce((sum, count) => sum + count, 0);
    print(
      `| ${nameOf(mutant)} | ${kinds.join(", ") || "nothing noticed"} | ${rounds} faults, ${Math.round(seconds)} s |`,
    );
    if (mutant ? kinds.length === 0 : kinds.length > 0) {
      process.exitCode = 1;
      for (const { violation, what } of log.violations.slice(0, 10)) print(`${violation}: ${what}`);
    }
  } finally {
    await server.remove();
  }
}
