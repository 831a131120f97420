import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Account } from "../../packages/client/src/account.ts";
import { History } from "../../packages/client/src/history.ts";
import { Http } from "../../packages/client/src/http.ts";
import { silentLog } from "../../packages/client/src/log.ts";
import { sentMessage } from "../../packages/client/src/message.ts";
import type { MessageItem, SyncResult } from "../../packages/client/src/protocol.ts";
import { type ChatState, pageSize, Replica, type ReplicaEvents } from "../../packages/client/src/replica.ts";
import { memory, StorePart } from "../../packages/client/src/store.ts";
import { Timeline } from "../../packages/client/src/timeline.ts";
import type { Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const chats = 1000;
const myId = 1;
const minPushesPerSecond = 100_000;

const itemOf = (chatId: number, seq: number): MessageItem => ({
  chatId,
  messageId: seq * chats + chatId,
  seq,
  version: seq,
  senderId: 2 + (chatId % 50),
  senderName: "Bob",
  senderLastName: null,
  groupId: chatId,
  message: `message ${seq} and the rest of what people say to each other`,
  notification: false,
  createdAt: new Date(1_800_000_000_000 + seq).toISOString(),
  editedAt: null,
  deletedAt: null,
});

/** The answer to the first sync: groups with one message each. */
const firstAnswer = (): SyncResult => ({
  chats: Array.from({ length: chats }, (_, index) => ({
    chatId: index + 1,
    kind: "group" as const,
    groupId: index + 1,
    groupName: `group ${index + 1}`,
    role: "member" as const,
    memberCount: 50,
    version: 1,
    lastSeq: 1,
    readSeq: 0,
    unread: 1,
    mentions: 0,
    clearedSeq: 0,
    messages: [itemOf(index + 1, 1)],
    joined: true,
  })),
  left: [],
  hasMore: false,
  epoch: "one",
  userId: myId,
  serverTime: new Date(0).toISOString(),
});

const noEvents: ReplicaEvents = {
  onGap: () => {},
  onChange: () => {},
  onJoined: () => {},
  onLeft: () => {},
  onReset: () => {},
  onItem: () => {},
  onEntry: () => {},
  onUpdate: () => {},
  onEpoch: () => {},
  onStateChange: () => {},
};

/** CPU seconds of the work, garbage collection included. */
function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Texts of pushes as a socket receives them, each chat in turn. */
function pushes(fromSeq: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const item = itemOf((index % chats) + 1, fromSeq + Math.floor(index / chats));
    return JSON.stringify({ type: "messageInGroup", success: true, params: { data: null, item, isBroadcast: true } });
  });
}

/** Pushes that a replica applies in a second of CPU time, parsing included. */
function replicaRate(count: number): number {
  const replica = new Replica(noEvents);
  replica.applySync(firstAnswer());
  const texts = pushes(2, count);
  const seconds = cpuSeconds(() => {
    for (const text of texts) {
      const { type, params } = JSON.parse(text);
      replica.applyFrame(type, params.item);
    }
  });
  const last = replica.chats.get(1)?.lastSeq;
  if (last !== 1 + count / chats) throw new Error(`chat 1 ends at ${last}`);
  return count / seconds;
}

function newAccount(): Account {
  const account = new Account({
    profile: {
      id: myId,
      email: "ann@example.org",
      pendingEmail: null,
      firstName: "Ann",
      lastName: null,
      role: "user",
      createdAt: "",
    },
    store: new StorePart(memory(), ""),
    http: new Http("http://localhost", () => Promise.reject(new Error("not used"))),
    log: silentLog,
    token: async () => "",
    onStoreFailure: (error) => {
      throw error;
    },
    onProfile: () => {},
  });
  account.replica.applySync(firstAnswer());
  return account;
}

/** The same with everything that a messenger shows, and an open timeline. `burst` pushes arrive at once. */
async function accountRate(count: number, burst: number): Promise<number> {
  const account = newAccount();
  const stop = account.chats.subscribe(() => {});
  const timeline = account.chat(1).timeline();
  timeline.subscribe(() => {});
  const texts = pushes(2, count);
  const before = process.cpuUsage();
  for (let start = 0; start < texts.length; start += burst) {
    for (const text of texts.slice(start, start + burst)) account.receive(JSON.parse(text));
    await nextTurn();
  }
  const { user, system } = process.cpuUsage(before);
  stop();
  await account.close();
  return count / ((user + system) / 1e6);
}

/** Time to open a timeline and load a page before it, in milliseconds, of a chat with so many messages. */
async function openingMs(messages: number, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const replica = new Replica(noEvents);
    const history = new History();
    for (let seq = messages - pageSize + 1; seq <= messages; seq++) history.append(itemOf(1, seq));
    const chat = {
      chatId: 1,
      kind: "group",
      version: messages,
      lastSeq: messages,
      readSeq: 0,
      clearedSeq: 0,
    } as ChatState;
    replica.restore(Object.assign(chat, { history }));
    const startedAt = performance.now();
    const timeline = new Timeline(
      {
        state: () => chat,
        readSeq: () => messages,
        toMessage: (item) => sentMessage(item, myId, undefined),
        unsent: () => [],
        onClose: () => {},
        async loadPage(position) {
          const to = "before" in position ? position.before - 1 : messages;
          const range = { from: Math.max(1, to - pageSize + 1), to };
          const page = Array.from({ length: to - range.from + 1 }, (_, index) => itemOf(1, range.from + index));
          replica.insertPage(chat, page, range);
          return range;
        },
      },
      "newest",
      300,
    );
    await timeline.loadOlder();
    if (timeline.value.messages.length !== 2 * pageSize) throw new Error("the timeline does not show two pages");
    times.push(performance.now() - startedAt);
    timeline.close();
  }
  return median(times);
}

/** MiB in use after each part of the messages that pass through an account. */
async function memoryMiB(parts: readonly number[]): Promise<number[]> {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;
  const account = newAccount();
  account.chats.subscribe(() => {});
  const used: number[] = [];
  let seq = 2;
  for (const count of parts) {
    for (let done = 0; done < count; done += chats) {
      for (const text of pushes(seq++, chats)) account.receive(JSON.parse(text));
      await nextTurn();
    }
    await account.close();
    collectGarbage();
    used.push(process.memoryUsage().heapUsed / 2 ** 20);
    // `close` also ends the connection.
    account.replica.applySync({ ...firstAnswer(), chats: [] });
  }
  return used;
}

export const replica: Scenario = {
  summary: "the client SDK: pushes applied, chats opened, memory",
  async runAlone({ quick }) {
    const count = quick ? 20_000 : 100_000;
    const rounds = quick ? 1 : 3;
    replicaRate(count);
    const rates = Array.from({ length: rounds }, () => replicaRate(count));
    const bursts = await accountRate(count, 1000);
    const single = await accountRate(quick ? 500 : 2000, 1);
    const opening = { few: 0, many: 0 };
    for (const name of ["few", "many", "few", "many"] as const) {
      opening[name] = await openingMs(name === "few" ? 100 : 1_000_000, quick ? 11 : 201);
    }
    // Each chat keeps 50 to 100 messages. At both times it keeps equally many.
    const [full = 0, later = 0] = await memoryMiB([150 * chats, (quick ? 1 : 2) * 51 * chats]);
    return [
      {
        title: `replica: ${chats} chats, per second of CPU time`,
        columns: ["", ""],
        rows: [
          ["pushes applied by the replica", median(rates)],
          ["pushes shown by a messenger, 1,000 at once", bursts],
          ["pushes shown by a messenger, one at a time", single],
          ["opening a chat of 100 messages, µs", opening.few * 1000],
          ["opening a chat of 1,000,000 messages, µs", opening.many * 1000],
          ["heap when all chats are full, MiB", full],
          ["heap after many more messages, MiB", later],
        ],
        targets: [
          { name: "pushes per second", measured: median(rates), limit: minPushesPerSecond, isMinimum: true },
          { name: "opening a large chat to a small one", measured: opening.many / opening.few, limit: 1.5 },
          { name: "heap later to before", measured: later / full, limit: 1.1 },
        ],
        faults: [],
      },
    ];
  },
};
