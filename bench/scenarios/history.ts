import type { WebSocket } from "ws";
import { type Contestant, enter, withContestants } from "../servers.ts";
import { ask } from "../load/client.ts";
import { openSocket } from "../load/open-sockets.ts";
import type { Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";
import { digits, type Target } from "../table.ts";
import type { World } from "../dataset.ts";

const fewMessages = 100_000;
const manyChats = 1000;
const fewChats = 10;
const deepPage = 1000;

/**
 * Of five messages two are in the dialog of persons 1 and 2, two in group 2, and one in one of a thousand other groups:
 * person 3 is in all of those, person 4 in ten.
 */
const worldOf = (messages: number): World => {
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
             'message ' || i || ' and the rest of what people say to each other',
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
  what: string;
  userId: number;
  type: string;
  params: object;
}

const page = (page: number) => ({ limit: 20, page });
const dialog = (number: number): Read => ({
  what: `dialog, page ${number}`,
  userId: 1,
  type: "getlatestMessageDialog",
  params: { receiverId: 2, ...page(number) },
});
const group = (number: number): Read => ({
  what: `group, page ${number}`,
  userId: 1,
  type: "getlatestMessageGroup",
  params: { groupId: 2, ...page(number) },
});
const chatList = (chats: number, userId: number): Read => ({
  what: `chat list of ${chats} chats`,
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

/** Milliseconds from the request until its answer; medians of rounds in which all reads of all contestants take turns. */
async function timeReads(contestants: readonly Contestant[], rounds: number) {
  const sockets: WebSocket[] = [];
  const times = new Map<Contestant, Record<ReadName, number[]>>();
  const turns: (() => Promise<void>)[] = [];
  for (const contestant of contestants) {
    const own = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<ReadName, number[]>;
    times.set(contestant, own);
    for (const name of names) {
      const { userId, type, params, what } = reads[name];
      const socket = await openSocket(contestant.url, contestant.tokenOf(userId), 0);
      sockets.push(socket);
      turns.push(async () => {
        const startedAt = performance.now();
        const { data } = (await ask(socket, type, params)).params;
        own[name].push(performance.now() - startedAt);
        if (data.length === 0) throw new Error(`${what} is empty`);
      });
    }
  }
  for (let round = 0; round < rounds; round++) for (const turn of turns) await turn();
  for (const socket of sockets) socket.terminate();
  return [...times.values()].map(
    (own) => Object.fromEntries(names.map((name) => [name, median(own[name])])) as Record<ReadName, number>,
  );
}

export const history: Scenario = {
  summary: "the first and the thousandth page, and the chat list, beside many stored messages",
  run({ size, quick }, arena) {
    const most = quick ? fewMessages : Math.max(size, fewMessages);
    const sizes = [...new Set([fewMessages, 1_000_000, most])].filter((messages) => messages <= most);
    const starts = sizes.map((messages) => () => enter("ours", { arena, world: worldOf(messages) }));
    return withContestants(starts, async (contestants) => {
      await arena.settle();
      const figures = await timeReads(contestants, quick ? 5 : 41);
      const targets = figures.flatMap((times, index): Target[] => {
        const beside = `beside ${digits(sizes[index] ?? 0)}`;
        return [
          { what: `dialog, deep page to first, ${beside}`, measured: times.dialogDeep / times.dialogFirst, limit: 1.5 },
          { what: `group, deep page to first, ${beside}`, measured: times.groupDeep / times.groupFirst, limit: 1.5 },
          { what: `list of many chats to few, ${beside}`, measured: times.listOfMany / times.listOfFew, limit: 5 },
        ];
      });
      const [few] = figures;
      const many = figures.at(-1);
      if (few && many && many !== few) {
        for (const name of names) {
          targets.push({ what: `${reads[name].what}, many stored to few`, measured: many[name] / few[name], limit: 2 });
        }
      }
      return [
        {
          title: "history: milliseconds until the answer, 20 rows",
          columns: ["", ...sizes.map((messages) => `beside ${digits(messages)}`)],
          rows: names.map((name) => [reads[name].what, ...figures.map((times) => times[name])]),
          targets,
          faults: [],
        },
      ];
    });
  },
};
