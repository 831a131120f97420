import { parseArgs } from "node:util";
import { allFaults, type Fault, isFault } from "./faults.ts";
import { type ChaosOptions, runChaos } from "./run.ts";

// npm run chaos -- --minutes 5 --seed 7 --database server --processes 2
// npm run chaos -- --kills 60 --messages 100000
// Ctrl-C ends the run after the current fault and checks what was observed so far.

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    /** Runs until there were this many kills and acknowledged messages. */
    kills: { type: "string" },
    messages: { type: "string" },
    /** Minimum and maximum time between two faults, in milliseconds. */
    calm: { type: "string", default: "500-4000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    database: { type: "string", default: "embedded" },
    processes: { type: "string", default: "1" },
    /** "off" runs several processes without Redis. */
    redis: { type: "string", default: "on" },
    /** Also takes backups and restores them. */
    restore: { type: "boolean", default: false },
    /** Also lets a standby take the place of the database server, which loses what was committed last. */
    failover: { type: "boolean", default: false },
    /** Injects only these faults, separated by commas. */
    faults: { type: "string" },
    people: { type: "string", default: "24" },
    /** How many of them also have devices with the client SDK. */
    "sdk-users": { type: "string" },
  },
});
const seed = Number(values.seed);
const hasGoal = values.kills !== undefined || values.messages !== undefined;
const minutes = Number(values.minutes ?? (hasGoal ? 60 : 5));
/** Set when the users are registered, which takes long on a busy machine. */
let deadline: number | undefined;
const [minMs = 0, maxMs = minMs] = values.calm.split("-").map(Number);
const options: ChaosOptions = {
  seed,
  database: values.database === "server" ? "server" : "embedded",
  processes: Number(values.processes),
  hasRedis: values.redis !== "off",
  hasBackups: values.restore,
  hasFailovers: values.failover,
  faults: faultNames(values.faults),
  rounds: Number.MAX_SAFE_INTEGER,
  people: Number(values.people),
  sdkUsers: values["sdk-users"] === undefined ? undefined : Number(values["sdk-users"]),
  intervalMs: [minMs, maxMs],
  shouldStop: ({ counts }, { kill }) => {
    deadline ??= Date.now() + minutes * 60_000;
    const isGoalReached = kill >= Number(values.kills ?? 0) && counts.acknowledged >= Number(values.messages ?? 0);
    return interrupted || Date.now() > deadline || (hasGoal && isGoalReached);
  },
  onRound: (round, fault, { counts, violations }) => {
    print(`round ${round}: ${fault}; ${counts.acknowledged} acknowledged, ${violations.length} violations`);
    for (const { kind, details } of violations.slice(shown, maxShown)) print(`${kind}: ${details}`);
    shown = violations.length;
  },
};

/** @returns undefined for all faults */
function faultNames(list: string | undefined): Fault[] | undefined {
  const names = list?.split(",") ?? [];
  const unknown = names.filter((name) => !isFault(name));
  if (unknown.length > 0) throw new Error(`--faults: unknown ${unknown.join(", ")}; one of ${allFaults.join(", ")}`);
  return list === undefined ? undefined : names.filter(isFault);
}

let interrupted = false;
process.once("SIGINT", () => {
  interrupted = true;
});
const maxShown = 20;
let shown = 0;
const print = (line: string) => process.stdout.write(`${line}\n`);

print(`seed ${seed}, ${options.database} database, ${options.processes} process(es)`);
const { log, faults, seconds, sdk } = await runChaos(options);
print(
  JSON.stringify({
    seed,
    database: options.database,
    seconds: Math.round(seconds),
    faults,
    ...log.counts,
    maxLatencyMs: log.latency.maxMs,
    sdk,
  }),
);
const kinds = new Map<string, number>();
for (const { kind } of log.violations) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
for (const { kind, details } of log.violations.slice(0, maxShown)) print(`${kind}: ${details}`);
print(`${log.violations.length} violations ${JSON.stringify(Object.fromEntries(kinds))}`);
process.exitCode = log.violations.length > 0 ? 1 : 0;
