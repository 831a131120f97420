import type { WebSocket } from "ws";
import type { Dataset } from "../dataset.ts";
import { request } from "../load/client.ts";
import { openSocket } from "../load/open-sockets.ts";
import type { Scenario } from "../scenario.ts";
import { type ComparedServer, startServer, withServers } from "../servers.ts";
import { median } from "../statistics.ts";
import { digits, type Target } from "../table.ts";

const fewMessages = 100_000;
const manyChats = 1000;
const fewChats = 10;
const deepPage = 1000;

/**
 * Two of five messages are in the dialog of users 1 and 2, two in group 2, and one in one of a thousand other groups. User
 * 3 is a member of all of these, user 4 of ten.
 */
const datasetOf = (messages: number): Dataset => {
  const fifth = messages / 5;
  return {
    people: 4,
    sql: `
      INSERT INTO chats (id, kind, pair_low, pair_high, last_seq, version, last_message_id)
      VALUES (1, 'dialog', 1, 2, ${2 * fifth}, ${2 * fifth}, ${messages - 3});
      INSERT INTO chats (id, kind, name, last_seq, version, last_message_id)
      VALUES (2, 'group', 'the large group', ${2 * fifth}, ${2 * fifth}, ${messages - 1});
      INSERT INTO chats (id, kind, name, last_seq, version, last_message_id)
      SELECT 3 + g, 'group', 'group ' || g, ${fifth / manyChats}, ${fifth / manyChats}, ${messages - 5 * manyChats} + 5 * g + 5
        FROM generate_series(0, ${manyChats - 1}) AS g;
      INSERT INTO chat_members (user_id, chat_id) VALUES (1, 1), (2, 1), (1, 2), (2, 2);
      INSERT INTO chat_members (user_id, chat_id) SELECT 3, id FROM chats WHERE id > 2;
      INSERT INTO chat_members (user_id, chat_id) SELECT 4, id FROM chats WHERE id > 2 ORDER BY id LIMIT ${fewChats};
      INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, content, created_at)
      SELECT i + 1, chat, seq, seq, CASE WHEN chat > 2 THEN 3 ELSE 1 + i % 2 END, 'client-' || lpad(i::text, 12, '0'),
             'message ' || i || ' and the rest of label people say to each other',
             now() - (${messages} - i) * interval '1 second'
        FROM (SELECT i,
                     CASE i % 5 WHEN 0 THEN 1 WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 2 ELSE 3 + i / 5 % ${manyChats} END AS chat,
                     CASE i % 5 WHEN 0 THEN i / 5 * 2 + 1 WHEN 1 THEN i / 5 * 2 + 2
                                WHEN 2 THEN i / 5 * 2 + 1 WHEN 3 THEN i / 5 * 2 + 2
                                ELSE i / 5 / ${manyChats} + 1 END AS seq
                FROM generate_series(0, ${messages - 1}) AS i) AS placed`,
  };
};

interface Read {
  label: string;
  userId: number;
  type: string;
  params: object;
}

const page = (page: number) => ({ limit: 20, page });
const dialog = (number: number): Read => ({
  label: `dialog, page ${number}`,
  userId: 1,
  type: "getlatestMessageDialog",
  params: { receiverId: 2, ...page(number) },
});
const group = (number: number): Read => ({
  label: `group, page ${number}`,
  userId: 1,
  type: "getlatestMessageGroup",
  params: { groupId: 2, ...page(number) },
});
const chatList = (chats: number, userId: number): Read => ({
  label: `chat list of ${chats} chats`,
  userId,
  type: "listLastMessage",
  params: page(1),
});

const reads = {
  dialogFirst: dialog(1),
  dialogDeep: dialog(deepPage),
  groupFirst: group(1),
  groupDeep: group(deepPage),
  listOfFew: chatList(fewChats, 4),
  listOfMany: chatList(manyChats, 3),
};
type ReadName = keyof typeof reads;
const names = Object.keys(reads) as ReadName[];

/** Response times in milliseconds: medians of rounds, each with all reads of all servers in turn. */
async function timeReads(servers: readonly ComparedServer[], rounds: number) {
  const sockets: WebSocket[] = [];
  const times = new Map<ComparedServer, Record<ReadName, number[]>>();
  const tasks: (() => Promise<void>)[] = [];
  for (const server of servers) {
    const own = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<ReadName, number[]>;
    times.set(server, own);
    for (const name of names) {
      const { userId, type, params, label } = reads[name];
      const socket = await openSocket(server.url, server.tokenOf(userId), 0);
      sockets.push(socket);
      tasks.push(async () => {
        const startedAt = performance.now();
        const { data } = (await request(socket, type, params)).params;
        own[name].push(performance.now() - startedAt);
        if (data.length === 0) throw new Error(`${label} is empty`);
      });
    }
  }
  for (let round = 0; round < rounds; round++) for (const task of tasks) await task();
  for (const socket of sockets) socket.terminate();
  return [...times.values()].map(
    (own) => Object.fromEntries(names.map((name) => [name, median(own[name])])) as Record<ReadName, number>,
  );
}

export const history: Scenario = {
  summary: "the first and the thousandth page, and the chat list, with many stored messages",
  run({ size, quick }, databaseServer) {
    const largest = quick ? fewMessages : Math.max(size, fewMessages);
    const sizes = [...new Set([fewMessages, 1_000_000, largest])].filter((messages) => messages <= largest);
    const starters = sizes.map(
      (messages) => () => startServer("ours", { databaseServer, dataset: datasetOf(messages) }),
    );
    return withServers(starters, async (servers) => {
      await databaseServer.checkpoint();
      const figures = await timeReads(servers, quick ? 5 : 41);
      const targets = figures.flatMap((times, index): Target[] => {
        const condition = `with ${digits(sizes[index] ?? 0)}`;
        return [
          {
            name: `dialog, deep page to first, ${condition}`,
            measured: times.dialogDeep / times.dialogFirst,
            limit: 1.5,
          },
          { name: `group, deep page to first, ${condition}`, measured: times.groupDeep / times.groupFirst, limit: 1.5 },
          { name: `list of many chats to few, ${condition}`, measured: times.listOfMany / times.listOfFew, limit: 5 },
        ];
      });
      const [few] = figures;
      const many = figures.at(-1);
      if (few && many && many !== few) {
        for (const name of names) {
          targets.push({
            name: `${reads[name].label}, many stored to few`,
            measured: many[name] / few[name],
            limit: 2,
          });
        }
      }
      return [
        {
          title: "history: response time in milliseconds, 20 rows",
          columns: ["", ...sizes.map((messages) => `with ${digits(messages)}`)],
          rows: names.map((name) => [reads[name].label, ...figures.map((times) => times[name])]),
          targets,
          faults: [],
        },
      ];
    });
  },
};
