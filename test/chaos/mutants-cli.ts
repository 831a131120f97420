import { makeMutant, mutants, widenWindows } from "./mutants.ts";
import { runChaos } from "./run.ts";

// npm run chaos:mutants: the checker against servers with a fault each. Fails if one of them is not noticed.

const mostRounds = 12;
const seed = Number(process.argv[2] ?? Date.now() % 1_000_000);
const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}`);
/** The server as it is stands among them: there, nothing may be noticed. */
for (const mutant of [undefined, ...mutants]) {
  const made = mutant && (await makeMutant(mutant));
  try {
    const { log, faults, seconds } = await runChaos({
      seed,
      database: "server",
      rounds: mostRounds,
      people: 12,
      calmMs: [300, 1200],
      ...(made && { entry: made.entry }),
      prepare: widenWindows,
      judgeEachRound: true,
      isEnough: ({ violations }) => violations.length > 0,
    });
    const kinds = [...new Set(log.violations.map(({ violation }) => violation))];
    const rounds = Object.values(faults).reduce((sum, count) => sum + count, 0);
    const name = mutant?.name ?? "as it is";
    print(`| ${name} | ${kinds.join(", ") || "nothing noticed"} | ${rounds} faults, ${Math.round(seconds)} s |`);
    if (mutant ? kinds.length === 0 : kinds.length > 0) {
      process.exitCode = 1;
      for (const { violation, what } of log.violations.slice(0, 10)) print(`${violation}: ${what}`);
    }
  } finally {
    await made?.remove();
  }
}
