import { pairsJob } from "../load/chat.ts";
import { type ChatFigures, type Faults, measureRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { startServer, withServers } from "../servers.ts";
import { median } from "../statistics.ts";
import type { Report } from "../table.ts";

const pairs = 50;
const maxCost = 1.02;

const cpuOf = ({ serverCpu, databaseCpu }: ChatFigures): number => serverCpu + databaseCpu;

const jobOf = (seconds: number) => pairsJob(pairs, { inFlight: 16, seconds });

/** The cost of the metrics: ratios of rounds that follow each other, since other load changes over the run. */
function reportOf(off: readonly ChatFigures[], on: readonly ChatFigures[], faults: Faults): Report {
  const row = (name: string, rounds: readonly ChatFigures[]) => [
    name,
    median(rounds.map(({ messagesPerSecond }) => messagesPerSecond)),
    median(rounds.map(({ serverCpu }) => serverCpu)),
    median(rounds.map(({ databaseCpu }) => databaseCpu)),
  ];
  const ratio = (of: (figures: ChatFigures) => number) =>
    median(on.map((figures, round) => of(figures) / of(off[round] ?? figures)));
  return {
    title: `metrics: ${pairs} pairs, 16 in flight each`,
    columns: ["", "messages/s", "server CPU ms/1,000", "database CPU ms/1,000"],
    rows: [
      row("off", off),
      row("on", on),
      [
        "on to off",
        ratio(({ messagesPerSecond }) => messagesPerSecond),
        ratio(({ serverCpu }) => serverCpu),
        ratio(({ databaseCpu }) => databaseCpu),
      ],
    ],
    targets: [{ name: "CPU per message, on to off", measured: ratio(cpuOf), limit: maxCost }],
    faults: [...faults],
  };
}

export const metrics: Scenario = {
  summary: "pairs chat with the metrics on and off",
  run({ warmUpRounds, rounds, seconds, profile }, databaseServer) {
    const dataset = { people: 2 * pairs };
    const starters = [
      () => startServer("ours", { databaseServer, dataset, label: "off", profile }),
      () => startServer("ours", { databaseServer, dataset, label: "on", profile, settings: { METRICS_PORT: "0" } }),
    ];
    return withServers(starters, async (servers) => {
      const faults: Faults = new Set();
      const before = () => databaseServer.checkpoint();
      const figures = await measureRounds(servers, jobOf(seconds), { warmUpRounds, rounds, before, faults });
      return [reportOf(figures.get("off") ?? [], figures.get("on") ?? [], faults)];
    });
  },
};
