import { pairsJob } from "../load/chat.ts";
import { type ChatFigures, type Faults, measureRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { startServer, withServers } from "../servers.ts";
import { median } from "../statistics.ts";
import type { Report } from "../table.ts";

const pairs = 50;
const perSecond = 1000;
const maxRatio = 1.1;

/** Without this table the job fails at once. */
const withoutIndexing = "DROP TABLE chat_texts";

const jobOf = (seconds: number) => pairsJob(pairs, { inFlight: 1, perSecond, seconds });

function reportOf(off: readonly ChatFigures[], on: readonly ChatFigures[], faults: Faults): Report {
  const columns = ["p50", "p99", "serverCpu", "databaseCpu"] as const;
  const row = (name: string, rounds: readonly ChatFigures[]) => [
    name,
    ...columns.map((column) => median(rounds.map((figures) => figures[column]))),
  ];
  const ratioOf = (column: (typeof columns)[number]) =>
    median(on.map((figures, round) => figures[column] / (off[round] ?? figures)[column]));
  return {
    title: `indexing: ${pairs} pairs, ${perSecond} messages/s in total`,
    columns: ["", "p50 ms", "p99 ms", "server CPU ms/1,000", "database CPU ms/1,000"],
    rows: [row("off", off), row("on", on), ["on to off", ...columns.map(ratioOf)]],
    targets: [{ name: "p50, on to off", measured: ratioOf("p50"), limit: maxRatio }],
    faults: [...faults],
  };
}

export const indexing: Scenario = {
  summary: "pairs chat at a fixed rate with and without the search index",
  run({ warmUpRounds, rounds, seconds, profile }, databaseServer) {
    const people = 2 * pairs;
    const starters = [
      () => startServer("ours", { databaseServer, dataset: { people, sql: withoutIndexing }, label: "off", profile }),
      () => startServer("ours", { databaseServer, dataset: { people }, label: "on", profile }),
    ];
    return withServers(starters, async (servers) => {
      const faults: Faults = new Set();
      const before = () => databaseServer.checkpoint();
      const figures = await measureRounds(servers, jobOf(seconds), { warmUpRounds, rounds, before, faults });
      return [reportOf(figures.get("off") ?? [], figures.get("on") ?? [], faults)];
    });
  },
};
