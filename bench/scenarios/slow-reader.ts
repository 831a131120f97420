import type { ChatJob } from "../load/chat.ts";
import { type Faults, measureInRounds } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { type ComparedServer, startServer, withServers } from "../servers.ts";
import type { Target } from "../table.ts";

const members = 100;
const senders = 10;
const perSecond = 50;
/** Messages of maximum length that the stalled readers request and do not read. */
const stored = 200;

const dataset = {
  people: members,
  groups: [members],
  sql: `
    INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
    SELECT ${members}, i, i, 1, repeat('x', 4096), now() FROM generate_series(1, ${stored}) AS i;
    UPDATE chats SET last_seq = ${stored}, version = ${stored}, last_message_id = (SELECT max(id) FROM messages)
     WHERE id = ${members};`,
};

const jobOf = ({ url, tokenOf }: ComparedServer, stalled: number, seconds: number): ChatJob => {
  const tokens = Array.from({ length: members }, (_, index) => tokenOf(index + 1));
  return {
    url,
    tokens: tokens.slice(0, members - stalled),
    stalledReaders: { tokens: tokens.slice(members - stalled), chatId: members },
    streams: Array.from({ length: senders }, (_, sender) => ({
      sender,
      to: { groupId: members },
      recipients: members - stalled - 1,
    })),
    inFlight: 1,
    perSecond,
    seconds,
  };
};

export const slowReader: Scenario = {
  summary: "a group of 100 online members, of whom none, one or five stop reading",
  run({ warmUpRounds, rounds, seconds, profile }, databaseServer) {
    return withServers([() => startServer("ours", { databaseServer, dataset, profile })], async ([ours]) => {
      if (!ours) throw new Error("no server to measure");
      const stalledByName = new Map([0, 1, 5].map((stalled) => [`${stalled} stalled`, stalled]));
      const faults: Faults = new Set();
      const figures = await measureInRounds(
        [...stalledByName.keys()].map((name) => ({ ...ours, name })),
        (server) => jobOf(server, stalledByName.get(server.name) ?? 0, seconds),
        { warmUpRounds, rounds, before: () => databaseServer.checkpoint(), faults },
      );
      const none = figures.get("0 stalled")?.p99 ?? Number.NaN;
      const targets: Target[] = [...figures]
        .slice(1)
        .map(([name, { p99 }]) => ({ name: `p99 of the others, ${name} to none`, measured: p99 / none, limit: 1.2 }));
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
