import { parseArgs } from "node:util";
import { type ChaosOptions, runChaos } from "./run.ts";

// npm run chaos -- --minutes 5 --seed 7 --database server --processes 2

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    rounds: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    database: { type: "string", default: "embedded" },
    processes: { type: "string", default: "1" },
    people: { type: "string", default: "24" },
  },
});
const seed = Number(values.seed);
const until = Date.now() + Number(values.minutes) * 60_000;
const options: ChaosOptions = {
  seed,
  database: values.database === "server" ? "server" : "embedded",
  processes: Number(values.processes),
  rounds: values.rounds ? Number(values.rounds) : Number.MAX_SAFE_INTEGER,
  people: Number(values.people),
  calmMs: [500, 4000],
  isEnough: () => values.rounds === undefined && Date.now() > until,
  onRound: (round, fault, { counts, violations }) =>
    print(`round ${round}: ${fault}; ${counts.acknowledged} acknowledged, ${violations.length} violations`),
};

const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}, ${options.database} database, ${options.processes} process(es)`);
const { log, faults, seconds } = await runChaos(options);
print(JSON.stringify({ seed, database: options.database, seconds: Math.round(seconds), faults, ...log.counts }));
const kinds = new Map<string, number>();
for (const { violation } of log.violations) kinds.set(violation, (kinds.get(violation) ?? 0) + 1);
for (const { violation, what } of log.violations.slice(0, 20)) print(`${violation}: ${what}`);
print(`${log.violations.length} violations ${JSON.stringify(Object.fromEntries(kinds))}`);
process.exitCode = log.violations.length > 0 ? 1 : 0;
