import { parseArgs } from "node:util";
import { Arena } from "./database-server.ts";
import { contestantNames } from "./servers.ts";
import type { Options, Scenario } from "./scenario.ts";
import { fanout } from "./scenarios/fanout.ts";
import { growth } from "./scenarios/growth.ts";
import { history } from "./scenarios/history.ts";
import { idle } from "./scenarios/idle.ts";
import { login } from "./scenarios/login.ts";
import { people } from "./scenarios/people.ts";
import { privateMessages } from "./scenarios/private.ts";
import { slowReader } from "./scenarios/slow-reader.ts";
import { start } from "./scenarios/start.ts";
import { sync } from "./scenarios/sync.ts";
import { format } from "./table.ts";

// npm run bench -- SCENARIO [options]; what the figures mean is in docs/performance.md.

const scenarios: Record<string, Scenario> = {
  private: privateMessages,
  fanout,
  idle,
  history,
  growth,
  sync,
  login,
  people,
  "slow-reader": slowReader,
  start,
};

const usage = `npm run bench -- SCENARIO [options]

${Object.entries(scenarios)
  .map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}`)
  .join("\n")}

  --quick          small numbers: tries a scenario and fails when a message is lost or doubled
  --rounds N       measured rounds, after two to warm up (5)
  --seconds N      length of a round (5)
  --size N         stored messages of history and growth (1000000)
  --only A,B       of ${contestantNames.join(", ")}
  --way W          of private: one, many or paced (all)
  --fsync off      for PostgreSQL, of all contestants (on)
  --profile DIR    writes a CPU profile of our server there
`;

function readCommand() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      size: { type: "string", default: "1000000" },
      only: { type: "string", default: contestantNames.join(",") },
      fsync: { type: "string", default: "on" },
      way: { type: "string" },
      profile: { type: "string" },
    },
  });
  const { quick } = values;
  const only = values.only.split(",");
  const options: Options = {
    quick,
    // Our server has most code for V8 to get to know: it needs two to be as fast as it stays.
    warmUps: quick ? 0 : 2,
    rounds: Number(values.rounds ?? (quick ? 1 : 5)),
    seconds: Number(values.seconds ?? (quick ? 1 : 5)),
    size: Number(values.size),
    only: contestantNames.filter((name) => only.includes(name)),
    way: values.way,
    profile: values.profile,
  };
  return { scenario: scenarios[positionals[0] ?? ""], options, fsync: values.fsync !== "off" };
}

const print = (text: string) => process.stdout.write(`${text}\n`);
const { scenario, options, fsync } = readCommand();
if (!scenario) {
  print(usage);
  process.exit(2);
}

const arena = await Arena.open({ fsync });
const breakOff = () => void arena.close().finally(() => process.exit(130));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, breakOff);
try {
  const { rounds, seconds, quick } = options;
  print(
    `fsync ${fsync ? "on" : "off"}, synchronous_commit on; ${rounds} rounds of ${seconds} s${quick ? ", quick" : ""}\n`,
  );
  const reports = await scenario.run(options, arena);
  for (const report of reports) print(format(report));
  if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
} finally {
  await arena.close();
}
