import { type Contestant, enter, withContestants } from "../servers.ts";
import type { TalkJob } from "../load/talk.ts";
import { type Faults, talkInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { digits } from "../table.ts";
import type { World } from "../dataset.ts";

const pairs = 50;

/** The dialogs of the pairs, as they are after so many messages, in the order in which those came. */
const worldOf = (messages: number): World => ({
  people: 2 * pairs,
  sql: `
    INSERT INTO chats (id, kind, pair_low, pair_high, last_seq, version, last_message_id)
    SELECT p, 'dialog', 2 * p - 1, 2 * p, ${messages / pairs}, ${messages / pairs}, ${messages - pairs} + p
      FROM generate_series(1, ${pairs}) AS p;
    INSERT INTO chat_members (user_id, chat_id) SELECT i, (i + 1) / 2 FROM generate_series(1, ${2 * pairs}) AS i;
    INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, content, created_at)
    SELECT i, 1 + (i - 1) % ${pairs}, 1 + (i - 1) / ${pairs}, 1 + (i - 1) / ${pairs}, 1 + 2 * ((i - 1) % ${pairs}),
           'client-' || lpad(i::text, 12, '0'), 'message ' || i || ' and the rest of what people say to each other',
           now() - (${messages} - i) * interval '1 second'
      FROM generate_series(1, ${messages}) AS i`,
});

const jobOf =
  (seconds: number) =>
  ({ url, tokenOf }: Contestant): TalkJob => ({
    url,
    tokens: Array.from({ length: 2 * pairs }, (_, index) => tokenOf(index + 1)),
    streams: Array.from({ length: pairs }, (_, pair) => ({
      sender: 2 * pair,
      to: { receiverId: 2 * pair + 2 },
      recipients: 1,
    })),
    inFlight: 16,
    seconds,
  });

export const growth: Scenario = {
  summary: "what a message costs beside many stored ones",
  run({ warmUps, rounds, seconds, size, quick, profile }, arena) {
    const sizes = quick ? [10_000, 100_000] : [100_000, size];
    const starts = sizes.map((messages) => () => {
      const as = `ours beside ${messages.toLocaleString("en")}`;
      return enter("ours", { arena, world: worldOf(messages), as, profile });
    });
    return withContestants(starts, async (contestants) => {
      const faults: Faults = new Set();
      const before = () => arena.settle();
      const figures = await talkInRounds(contestants, jobOf(seconds), { warmUps, rounds, before, faults });
      const costs = [...figures.values()].map(({ serverCpu, databaseCpu }) => serverCpu + databaseCpu);
      const [small = Number.NaN, large = Number.NaN] = costs;
      return [
        {
          title: `growth: ${pairs} pairs, 16 in flight each, beside ${sizes.map(digits).join(" and ")} stored messages`,
          columns: ["", "messages/s", "p50 ms", "server CPU ms/1,000", "database CPU ms/1,000"],
          rows: [...figures].map(([name, { messagesPerSecond, p50, serverCpu, databaseCpu }]) => [
            name,
            messagesPerSecond,
            p50,
            serverCpu,
            databaseCpu,
          ]),
          targets: [{ what: "CPU per message, many stored to few", measured: large / small, limit: 1.3 }],
          faults: [...faults],
        },
      ];
    });
  },
};
