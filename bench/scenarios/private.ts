import { pairsJob } from "../load/chat.ts";
import { type ChatFigures, type Faults, measureInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { startServer, withServers } from "../servers.ts";
import type { Report, Target } from "../table.ts";

const pairs = 50;

interface Mode {
  name: "one" | "many" | "paced";
  title: string;
  inFlight: number;
  perSecond?: number;
  targets(ours: ChatFigures, limit: ChatFigures): Target[];
}

const speedTarget = (minimum: number) => (ours: ChatFigures, limit: ChatFigures) => ({
  name: "messages/s, ours to relay-batch",
  measured: ours.messagesPerSecond / limit.messagesPerSecond,
  limit: minimum,
  isMinimum: true,
});

const modes: Mode[] = [
  {
    name: "one",
    title: `${pairs} pairs, 1 in flight each`,
    inFlight: 1,
    targets: (ours, limit) => [speedTarget(0.6)(ours, limit)],
  },
  {
    name: "many",
    title: `${pairs} pairs, 16 in flight each`,
    inFlight: 16,
    targets: (ours, limit) => [
      speedTarget(0.6)(ours, limit),
      {
        name: "CPU per message, ours to relay-batch",
        measured: (ours.serverCpu + ours.databaseCpu) / (limit.serverCpu + limit.databaseCpu),
        limit: 2,
      },
    ],
  },
  {
    name: "paced",
    title: `${pairs} pairs, 1,000 messages/s in total`,
    inFlight: 1,
    perSecond: 1000,
    targets: (ours, limit) => [
      { name: "p50, ours to relay-batch", measured: ours.p50 / limit.p50, limit: 2 },
      { name: "p99, ours to relay-batch", measured: ours.p99 / limit.p99, limit: 2 },
    ],
  },
];

const jobOf = ({ inFlight, perSecond }: Mode, seconds: number) =>
  pairsJob(pairs, { inFlight, ...(perSecond !== undefined && { perSecond }), seconds });

function reportOf(mode: Mode, figures: Map<string, ChatFigures>, faults: Faults): Report {
  const limit = figures.get("relay-batch");
  const ours = figures.get("ours");
  return {
    title: `private: ${mode.title}`,
    columns: ["", "messages/s", "to relay-batch", "p50 ms", "p99 ms", "server CPU ms/1,000", "database CPU ms/1,000"],
    rows: [...figures].map(([name, { messagesPerSecond, p50, p99, serverCpu, databaseCpu }]) => [
      name,
      messagesPerSecond,
      limit ? messagesPerSecond / limit.messagesPerSecond : "",
      p50,
      p99,
      serverCpu,
      databaseCpu,
    ]),
    targets: ours && limit ? mode.targets(ours, limit) : [],
    faults: [...faults],
  };
}

export const privateMessages: Scenario = {
  summary: "pairs chat with one message in flight, with many, and at a fixed rate",
  run({ warmUpRounds, rounds, seconds, only, privateMode, profile }, databaseServer) {
    const starters = only.map(
      (name) => () => startServer(name, { databaseServer, dataset: { people: 2 * pairs }, profile }),
    );
    return withServers(starters, async (servers) => {
      const reports: Report[] = [];
      for (const mode of modes.filter(({ name }) => name === privateMode || privateMode === undefined)) {
        const faults: Faults = new Set();
        const before = () => databaseServer.checkpoint();
        const figures = await measureInRounds(servers, jobOf(mode, seconds), { warmUpRounds, rounds, before, faults });
        reports.push(reportOf(mode, figures, faults));
      }
      return reports;
    });
  },
};
