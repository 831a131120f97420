import { type Contestant, enter, withContestants } from "../servers.ts";
import type { TalkJob } from "../load/talk.ts";
import { type Faults, type TalkFigures, talkInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import type { Report, Target } from "../table.ts";

const pairs = 50;

interface Way {
  name: "one" | "many" | "paced";
  title: string;
  inFlight: number;
  perSecond?: number;
  targets(ours: TalkFigures, limit: TalkFigures): Target[];
}

const speed = (least: number) => (ours: TalkFigures, limit: TalkFigures) => ({
  what: "messages/s, ours to relay-batch",
  measured: ours.messagesPerSecond / limit.messagesPerSecond,
  limit: least,
  least: true,
});

const ways: Way[] = [
  {
    name: "one",
    title: `${pairs} pairs, 1 in flight each`,
    inFlight: 1,
    targets: (ours, limit) => [speed(0.6)(ours, limit)],
  },
  {
    name: "many",
    title: `${pairs} pairs, 16 in flight each`,
    inFlight: 16,
    targets: (ours, limit) => [
      speed(0.6)(ours, limit),
      {
        what: "CPU per message, ours to relay-batch",
        measured: (ours.serverCpu + ours.databaseCpu) / (limit.serverCpu + limit.databaseCpu),
        limit: 2,
      },
    ],
  },
  {
    name: "paced",
    title: `${pairs} pairs, 1,000 messages/s together`,
    inFlight: 1,
    perSecond: 1000,
    targets: (ours, limit) => [
      { what: "p50, ours to relay-batch", measured: ours.p50 / limit.p50, limit: 2 },
      { what: "p99, ours to relay-batch", measured: ours.p99 / limit.p99, limit: 2 },
    ],
  },
];

/** Person `2p - 1` writes to person `2p`. */
const jobOf =
  ({ inFlight, perSecond }: Way, seconds: number) =>
  ({ url, tokenOf }: Contestant): TalkJob => ({
    url,
    tokens: Array.from({ length: 2 * pairs }, (_, index) => tokenOf(index + 1)),
    streams: Array.from({ length: pairs }, (_, pair) => ({
      sender: 2 * pair,
      to: { receiverId: 2 * pair + 2 },
      recipients: 1,
    })),
    inFlight,
    ...(perSecond !== undefined && { perSecond }),
    seconds,
  });

function reportOf(way: Way, figures: Map<string, TalkFigures>, faults: Faults): Report {
  const limit = figures.get("relay-batch");
  const ours = figures.get("ours");
  return {
    title: `private: ${way.title}`,
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
    targets: ours && limit ? way.targets(ours, limit) : [],
    faults: [...faults],
  };
}

export const privateMessages: Scenario = {
  summary: "pairs write to each other, one after another, many at once, and at a steady pace",
  run({ warmUps, rounds, seconds, only, way: wanted, profile }, arena) {
    const starts = only.map((name) => () => enter(name, { arena, world: { people: 2 * pairs }, profile }));
    return withContestants(starts, async (contestants) => {
      const reports: Report[] = [];
      for (const way of ways.filter(({ name }) => name === wanted || wanted === undefined)) {
        const faults: Faults = new Set();
        const before = () => arena.settle();
        const figures = await talkInRounds(contestants, jobOf(way, seconds), { warmUps, rounds, before, faults });
        reports.push(reportOf(way, figures, faults));
      }
      return reports;
    });
  },
};
