import { parseArgs } from "node:util";
import { type ChaosOptions, runChaos } from "./run.ts";

// npm run chaos -- --minutes 5 --seed 7 --database server --processes 2
// npm run chaos -- --kills 60 --messages 100000
// Ctrl-C ends it after this fault, and judges what there is.

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    /** Goes on until there were so many kills and so many acknowledged messages. */
    kills: { type: "string" },
    messages: { type: "string" },
    /** Between two faults, in milliseconds. */
    calm: { type: "string", default: "500-4000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    database: { type: "string", default: "embedded" },
    processes: { type: "string", default: "1" },
    people: { type: "string", default: "24" },
  },
});
const seed = Number(values.seed);
const isCounted = values.kills !== undefined || values.messages !== undefined;
const minutes = Number(values.minutes ?? (isCounted ? 60 : 5));
const until = Date.now() + minutes * 60_000;
const [least = 0, most = least] = values.calm.split("-").map(Number);
const options: ChaosOptions = {
  seed,
  database: values.database === "server" ? "server" : "embedded",
  processes: Number(values.processes),
  rounds: Number.MAX_SAFE_INTEGER,
  people: Number(values.people),
  calmMs: [least, most],
  isEnough: ({ counts }, { kill }) =>
    interrupted ||
    Date.now() > until ||
    (isCounted && kill >= Number(values.kills ?? 0) && counts.acknowledged >= Number(values.messages ?? 0)),
  onRound: (round, fault, { counts, violations }) => {
    print(`round ${round}: ${fault}; ${counts.acknowledged} acknowledged, ${violations.length} violations`);
    for (const { violation, what } of violations.slice(shown, mostShown)) print(`${violation}: ${what}`);
    shown = violations.length;
  },
};

let interrupted = false;
process.once("SIGINT", () => {
  interrupted = true;
});
const mostShown = 20;
let shown = 0;
const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}, ${options.database} database, ${options.processes} process(es)`);
const { log, faults, seconds } = await runChaos(options);
print(
  JSON.stringify({
    seed,
    database: options.database,
    seconds: Math.round(seconds),
    faults,
    ...log.counts,
    slowestMs: log.punctuality.slowestMs,
  }),
);
const kinds = new Map<string, number>();
for (const { violation } of log.violations) kinds.set(violation, (kinds.get(violation) ?? 0) + 1);
for (const { violation, what } of log.violations.slice(0, 20)) print(`${violation}: ${what}`);
print(`${log.violations.length} violations ${JSON.stringify(Object.fromEntries(kinds))}`);
process.exitCode = log.violations.length > 0 ? 1 : 0;
