import { type Contestant, enter, withContestants } from "../servers.ts";
import type { TalkJob } from "../load/talk.ts";
import { type Faults, talkInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import type { Target } from "../table.ts";

const members = 100;
const senders = 10;
const perSecond = 50;
/** Stored before, each as long as one can be: the members who stop reading ask for them and leave them lying. */
const stored = 200;

const world = {
  people: members,
  groups: [members],
  sql: `
    INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
    SELECT ${members}, i, i, 1, repeat('x', 4096), now() FROM generate_series(1, ${stored}) AS i;
    UPDATE chats SET last_seq = ${stored}, version = ${stored}, last_message_id = (SELECT max(id) FROM messages)
     WHERE id = ${members};`,
};

const jobOf = ({ url, tokenOf }: Contestant, stopped: number, seconds: number): TalkJob => {
  const tokens = Array.from({ length: members }, (_, index) => tokenOf(index + 1));
  return {
    url,
    tokens: tokens.slice(0, members - stopped),
    stopped: { tokens: tokens.slice(members - stopped), chatId: members },
    streams: Array.from({ length: senders }, (_, sender) => ({
      sender,
      to: { groupId: members },
      recipients: members - stopped - 1,
    })),
    inFlight: 1,
    perSecond,
    seconds,
  };
};

export const slowReader: Scenario = {
  summary: "a group of 100 online, of whom none, one or five stop reading",
  run({ warmUps, rounds, seconds, profile }, arena) {
    return withContestants([() => enter("ours", { arena, world, profile })], async ([ours]) => {
      if (!ours) throw new Error("nobody to measure");
      const stoppedBy = new Map([0, 1, 5].map((stopped) => [`${stopped} stopped`, stopped]));
      const faults: Faults = new Set();
      const figures = await talkInRounds(
        [...stoppedBy.keys()].map((name) => ({ ...ours, name })),
        (contestant) => jobOf(contestant, stoppedBy.get(contestant.name) ?? 0, seconds),
        { warmUps, rounds, before: () => arena.settle(), faults },
      );
      const none = figures.get("0 stopped")?.p99 ?? Number.NaN;
      const targets: Target[] = [...figures]
        .slice(1)
        .map(([name, { p99 }]) => ({ what: `p99 of the others, ${name} to none`, measured: p99 / none, limit: 1.2 }));
      return [
        {
          title: `slow-reader: ${members} members online, ${perSecond} messages/s`,
          columns: ["", "p50 ms", "p99 ms", "server CPU ms/1,000"],
          rows: [...figures].map(([name, { p50, p99, serverCpu }]) => [name, p50, p99, serverCpu]),
          targets,
          faults: [...faults],
        },
      ];
    });
  },
};
