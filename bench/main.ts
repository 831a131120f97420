import { parseArgs } from "node:util";
import { BenchDatabaseServer } from "./database-server.ts";
import type { Options, Scenario } from "./scenario.ts";
import { coldStart } from "./scenarios/cold-start.ts";
import { fanout } from "./scenarios/fanout.ts";
import { files } from "./scenarios/files.ts";
import { growth } from "./scenarios/growth.ts";
import { history } from "./scenarios/history.ts";
import { idle } from "./scenarios/idle.ts";
import { indexing } from "./scenarios/indexing.ts";
import { login } from "./scenarios/login.ts";
import { metrics } from "./scenarios/metrics.ts";
import { people } from "./scenarios/people.ts";
import { privateMessages } from "./scenarios/private.ts";
import { replica } from "./scenarios/replica.ts";
import { search } from "./scenarios/search.ts";
import { size } from "./scenarios/size.ts";
import { slowReader } from "./scenarios/slow-reader.ts";
import { start } from "./scenarios/start.ts";
import { sync } from "./scenarios/sync.ts";
import { web } from "./scenarios/web.ts";
import { serverNames } from "./servers.ts";
import { format, type Report } from "./table.ts";

// npm run bench -- SCENARIO [options]. docs/performance.md explains the figures.

const scenarios: Record<string, Scenario> = {
  private: privateMessages,
  fanout,
  files,
  idle,
  history,
  growth,
  sync,
  "cold-start": coldStart,
  login,
  metrics,
  people,
  search,
  indexing,
  "slow-reader": slowReader,
  start,
  replica,
  size,
  web,
};

const usage = `npm run bench -- SCENARIO [options]

${Object.entries(scenarios)
  .map(([name, { summary }]) => `  ${name.padEnd(11)} ${summary}`)
  .join("\n")}

  --quick          a short run that fails if a message is lost or duplicated
  --rounds N       measured rounds, after two warm-up rounds (5)
  --seconds N      duration of a round (5)
  --size N         stored messages of history, growth and search (1000000)
  --only A,B       of ${serverNames.join(", ")}
  --way W          only this mode of private: one, many or paced
  --fsync off      fsync of PostgreSQL, for all servers (on)
  --profile DIR    writes a CPU profile of the messenger to this folder
`;

function readCommand() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      size: { type: "string", default: "1000000" },
      only: { type: "string", default: serverNames.join(",") },
      fsync: { type: "string", default: "on" },
      way: { type: "string" },
      profile: { type: "string" },
    },
  });
  const { quick } = values;
  const only = values.only.split(",");
  const options: Options = {
    quick,
    // The messenger needs two rounds until V8 has optimised its code.
    warmUpRounds: quick ? 0 : 2,
    rounds: Number(values.rounds ?? (quick ? 1 : 5)),
    seconds: Number(values.seconds ?? (quick ? 1 : 5)),
    size: Number(values.size),
    only: serverNames.filter((name) => only.includes(name)),
    privateMode: values.way,
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

function report(reports: readonly Report[]): void {
  for (const one of reports) print(format(one));
  if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
}

if ("runAlone" in scenario) {
  report(await scenario.runAlone(options));
  process.exit();
}

const databaseServer = await BenchDatabaseServer.start({ fsync });
const abort = () => void databaseServer.remove().finally(() => process.exit(130));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, abort);
try {
  const { rounds, seconds, quick } = options;
  print(
    `fsync ${fsync ? "on" : "off"}, synchronous_commit on; ${rounds} rounds of ${seconds} s${quick ? ", quick" : ""}\n`,
  );
  report(await scenario.run(options, databaseServer));
} finally {
  await databaseServer.remove();
}
