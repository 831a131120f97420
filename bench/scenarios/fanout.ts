import { type Contestant, enter, withContestants } from "../servers.ts";
import type { TalkJob } from "../load/talk.ts";
import { type Faults, type TalkFigures, talkInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import type { Report, Target } from "../table.ts";

const senders = 10;

interface Crowd {
  members: number;
  /** People who are connected and not in the group. */
  bystanders: number;
}

/** Everyone of the group is connected, and ten of them write. */
const jobOf =
  ({ members, bystanders }: Crowd, seconds: number) =>
  ({ url, tokenOf }: Contestant): TalkJob => ({
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

const titleOf = ({ members, bystanders }: Crowd) =>
  `fanout: ${members} members online${bystanders > 0 ? `, ${bystanders} others connected` : ""}`;

function reportOf(
  crowd: Crowd,
  figures: Map<string, TalkFigures>,
  smallest: Map<string, TalkFigures>,
  faults: Faults,
): Report {
  const limit = figures.get("relay-batch");
  const ours = figures.get("ours");
  const targets: Target[] = [];
  if (ours && limit) {
    const measured = ours.deliveriesPerSecond / limit.deliveriesPerSecond;
    targets.push({ what: "deliveries/s, ours to relay-batch", measured, limit: 0.75, least: true });
  }
  const small = smallest.get("ours");
  if (ours && small && small !== ours) {
    const measured = ours.cpuPerDelivery / small.cpuPerDelivery;
    targets.push({ what: "CPU per delivery, ours to ours in the smallest group", measured, limit: 1.5 });
  }
  return {
    title: titleOf(crowd),
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
  summary: "ten people write to a group whose members are all online",
  run({ warmUps, rounds, seconds, quick, only, profile }, arena) {
    const [small, large, others] = quick ? [20, 100, 200] : [100, 1000, 5000];
    const crowds = [
      { members: small, bystanders: 0 },
      { members: large, bystanders: 0 },
      { members: large, bystanders: others },
    ];
    const world = { people: large + others, groups: [small, large] };
    const starts = only.map((name) => () => enter(name, { arena, world, profile }));
    return withContestants(starts, async (contestants) => {
      const reports: Report[] = [];
      let smallest: Map<string, TalkFigures> | undefined;
      for (const crowd of crowds) {
        const faults: Faults = new Set();
        const before = () => arena.settle();
        const figures = await talkInRounds(contestants, jobOf(crowd, seconds), { warmUps, rounds, before, faults });
        smallest ??= figures;
        reports.push(reportOf(crowd, figures, smallest, faults));
      }
      return reports;
    });
  },
};
