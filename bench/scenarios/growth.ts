import type { Dataset } from "../dataset.ts";
import { pairsJob } from "../load/chat.ts";
import { type Faults, measureInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { startServer, withServers } from "../servers.ts";
import { digits } from "../table.ts";

const pairs = 50;

/** The dialogs of the pairs after this many messages, stored in the order they were sent. */
const datasetOf = (messages: number): Dataset => ({
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

const jobOf = (seconds: number) => pairsJob(pairs, { inFlight: 16, seconds });

export const growth: Scenario = {
  summary: "the cost of a message depending on the number of stored messages",
  run({ warmUpRounds, rounds, seconds, size, quick, profile }, databaseServer) {
    const sizes = quick ? [10_000, 100_000] : [100_000, size];
    const starters = sizes.map((messages) => () => {
      const label = `ours, ${messages.toLocaleString("en")} stored`;
      return startServer("ours", { databaseServer, dataset: datasetOf(messages), label, profile });
    });
    return withServers(starters, async (servers) => {
      const faults: Faults = new Set();
      const before = () => databaseServer.checkpoint();
      const figures = await measureInRounds(servers, jobOf(seconds), { warmUpRounds, rounds, before, faults });
      const costs = [...figures.values()].map(({ serverCpu, databaseCpu }) => serverCpu + databaseCpu);
      const [small = Number.NaN, large = Number.NaN] = costs;
      return [
        {
          title: `growth: ${pairs} pairs, 16 in flight each, with ${sizes.map(digits).join(" and ")} stored messages`,
          columns: ["", "messages/s", "p50 ms", "server CPU ms/1,000", "database CPU ms/1,000"],
          rows: [...figures].map(([name, { messagesPerSecond, p50, serverCpu, databaseCpu }]) => [
            name,
            messagesPerSecond,
            p50,
            serverCpu,
            databaseCpu,
          ]),
          targets: [{ name: "CPU per message, many to few stored", measured: large / small, limit: 1.3 }],
          faults: [...faults],
        },
      ];
    });
  },
};
