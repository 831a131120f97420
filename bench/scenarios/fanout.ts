import type { ChatJob } from "../load/chat.ts";
import { type ChatFigures, type Faults, measureInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { type ComparedServer, startServer, withServers } from "../servers.ts";
import type { Report, Target } from "../table.ts";

const senders = 10;

interface Audience {
  members: number;
  /** Connected users outside the group. */
  bystanders: number;
}

/** All members are connected, and ten of them send. */
const jobOf =
  ({ members, bystanders }: Audience, seconds: number) =>
  ({ url, tokenOf }: ComparedServer): ChatJob => ({
    url,
    tokens: Array.from({ length: members + bystanders }, (_, index) => tokenOf(index + 1)),
    streams: Array.from({ length: senders }, (_, sender) => ({
      sender,
      to: { groupId: members },
      recipients: members - 1,
    })),
    inFlight: 4,
    seconds,
  });

const titleOf = ({ members, bystanders }: Audience) =>
  `fanout: ${members} members online${bystanders > 0 ? `, ${bystanders} others connected` : ""}`;

function reportOf(
  audience: Audience,
  figures: Map<string, ChatFigures>,
  smallest: Map<string, ChatFigures>,
  faults: Faults,
): Report {
  const limit = figures.get("relay-batch");
  const ours = figures.get("ours");
  const targets: Target[] = [];
  if (ours && limit) {
    const measured = ours.deliveriesPerSecond / limit.deliveriesPerSecond;
    targets.push({ name: "deliveries/s, ours to relay-batch", measured, limit: 0.75, isMinimum: true });
  }
  const small = smallest.get("ours");
  if (ours && small && small !== ours) {
    const measured = ours.cpuPerDelivery / small.cpuPerDelivery;
    targets.push({ name: "CPU per delivery, ours to ours in the smallest group", measured, limit: 1.5 });
  }
  return {
    title: titleOf(audience),
    columns: ["", "deliveries/s", "to relay-batch", "messages/s", "p50 ms", "CPU µs per delivery"],
    rows: [...figures].map(([name, { deliveriesPerSecond, messagesPerSecond, p50, cpuPerDelivery }]) => [
      name,
      deliveriesPerSecond,
      limit ? deliveriesPerSecond / limit.deliveriesPerSecond : "",
      messagesPerSecond,
      p50,
      cpuPerDelivery,
    ]),
    targets,
    faults: [...faults],
  };
}

export const fanout: Scenario = {
  summary: "ten members send to a group whose members are all online",
  run({ warmUpRounds, rounds, seconds, quick, only, profile }, databaseServer) {
    const [small, large, others] = quick ? [20, 100, 200] : [100, 1000, 5000];
    const audiences = [
      { members: small, bystanders: 0 },
      { members: large, bystanders: 0 },
      { members: large, bystanders: others },
    ];
    const dataset = { people: large + others, groups: [small, large] };
    const starters = only.map((name) => () => startServer(name, { databaseServer, dataset, profile }));
    return withServers(starters, async (servers) => {
      const reports: Report[] = [];
      let smallest: Map<string, ChatFigures> | undefined;
      for (const audience of audiences) {
        const faults: Faults = new Set();
        const before = () => databaseServer.checkpoint();
        const figures = await measureInRounds(servers, jobOf(audience, seconds), {
          warmUpRounds,
          rounds,
          before,
          faults,
        });
        smallest ??= figures;
        reports.push(reportOf(audience, figures, smallest, faults));
      }
      return reports;
    });
  },
};
