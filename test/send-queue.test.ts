import { describe, expect, test } from "@jest/globals";
import type { Database } from "../src/db/connect.ts";
import type { Delivery } from "../src/delivery/delivery.ts";
import type { ChatWriter } from "../src/writes/chat-transaction.ts";
import { Committer } from "../src/writes/commit.ts";
import { Dialogs } from "../src/writes/dialogs.ts";
import { MessageSender } from "../src/writes/message-sender.ts";
import { BatchWriter } from "../src/writes/send-batch.ts";
import { type OrderedSend, SendQueue } from "../src/writes/send-queue.ts";

/*
 * Scheduling of sends without a database, and the handling of results and failures at moments chosen by the test. One file
 * despite its length, because both halves share the same scripted database.
 */

interface NamedSend extends OrderedSend {
  name: string;
}

const send = (name: string, senderId: number, chatKey: string, clientMessageId?: string): NamedSend => ({
  name,
  senderId,
  chatKey,
  clientMessageId,
});

function queueOf(sends: readonly NamedSend[], { concurrency = 2, maxBatchSize = 500 } = {}) {
  const queue = new SendQueue<NamedSend>({ concurrency, maxBatchSize });
  for (const one of sends) queue.add(one);
  const take = () => {
    const batch = queue.takeBatch();
    return batch && { batch, names: batch.sends.map(({ name }) => name) };
  };
  return { queue, take };
}

const namesOf = (taken: { names: string[] } | undefined) => taken?.names;

describe("the send queue", () => {
  test("without a batch in flight, all queued sends start together in the order of their arrival", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 1, "7"), send("c", 2, "8")]);
    expect(namesOf(take())).toEqual(["a", "b", "c"]);
    expect(queue.length).toBe(0);
  });

  test("an empty queue has no batch", () => {
    expect(queueOf([]).take()).toBeUndefined();
  });

  test("a batch has at most the maximum size, and the next one continues after it", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 2, "8"), send("c", 1, "7")], { maxBatchSize: 2 });
    const first = take();
    expect(first?.names).toEqual(["a", "b"]);
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["c"]);
  });

  test("no more batches are in flight than the concurrency allows", () => {
    const { queue, take } = queueOf([send("a", 1, "7")], { concurrency: 1 });
    const first = take();
    queue.add(send("b", 2, "8"));
    expect(take()).toBeUndefined();
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["b"]);
  });

  test("beside a batch in flight only other senders' sends to other chats start", () => {
    const { queue, take } = queueOf([send("a", 1, "7")]);
    take();
    queue.add(send("same sender", 1, "8"));
    queue.add(send("same chat", 2, "7"));
    queue.add(send("other", 3, "9"));
    expect(namesOf(take())).toEqual(["other"]);
  });

  test("a batch beside one in flight waits until it is as large", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 2, "8")]);
    take();
    queue.add(send("c", 3, "9"));
    expect(take()).toBeUndefined();
    queue.add(send("d", 4, "10"));
    expect(namesOf(take())).toEqual(["c", "d"]);
  });

  test("a send blocked by its chat also blocks later sends of its sender to other chats", () => {
    const { queue, take } = queueOf([send("in flight", 1, "7")]);
    const first = take();
    queue.add(send("blocked", 2, "7"));
    queue.add(send("later of the sender", 2, "8"));
    queue.add(send("other", 3, "9"));
    expect(namesOf(take())).toEqual(["other"]);
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["blocked", "later of the sender"]);
  });

  test("a send blocked by its sender also blocks later sends of others to its chat", () => {
    const { queue, take } = queueOf([send("in flight", 1, "7")]);
    const first = take();
    queue.add(send("blocked", 1, "8"));
    queue.add(send("later to the chat", 2, "8"));
    queue.add(send("other", 3, "9"));
    expect(namesOf(take())).toEqual(["other"]);
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["blocked", "later to the chat"]);
  });

  test("a repeat of a client id waits for the first one to be stored, and holds up no other sender", () => {
    const { queue, take } = queueOf([send("first", 1, "7", "id-1"), send("repeat", 1, "7", "id-1"), send("b", 2, "8")]);
    const batch = take();
    expect(batch?.names).toEqual(["first", "b"]);
    if (batch) queue.finish(batch.batch, []);
    expect(namesOf(take())).toEqual(["repeat"]);
  });

  test("the same client id of another sender is no repeat", () => {
    const { take } = queueOf([send("a", 1, "7", "id-1"), send("b", 2, "7", "id-1")]);
    expect(namesOf(take())).toEqual(["a", "b"]);
  });

  test("a sender's sends behind a repeat wait with it", () => {
    const { queue, take } = queueOf([
      send("first", 1, "7", "id-1"),
      send("repeat", 1, "7", "id-1"),
      send("behind", 1, "8", "id-2"),
    ]);
    const batch = take();
    expect(batch?.names).toEqual(["first"]);
    if (batch) queue.finish(batch.batch, []);
    expect(namesOf(take())).toEqual(["repeat", "behind"]);
  });

  test("sends that could not be stored return to the head of the queue in their order", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 2, "8"), send("c", 3, "7")]);
    const first = take();
    queue.add(send("d", 1, "7"));
    if (first)
      queue.finish(
        first.batch,
        [first.batch.sends[0], first.batch.sends[2]].flatMap((one) => one ?? []),
      );
    expect(namesOf(take())).toEqual(["a", "c", "d"]);
  });
});

/** A sender on a database that gives each message the result that `store` returns; nothing else is stored. */
function senderOn(
  store: (chatIds: number[], contents: string[]) => string[],
  publish = (_chatId: number): Promise<void> | undefined => undefined,
) {
  let last = 0;
  const query = async ({ values }: { values: unknown[] }) => {
    const [chatIds, , , , , contents] = values as [number[], [], [], [], [], string[]];
    const verdicts = store(chatIds, contents).map((kind) => [kind, ++last, last, last]);
    return { rows: [{ answer: { createdAt: new Date().toISOString(), verdicts, people: [], groups: [] } }] };
  };
  const database = {
    query: async () => [{ userId: 3, otherId: 4, chatId: 8 }],
    connectionManager: { getConnection: async () => ({ query, end: async () => {} }), releaseConnection() {} },
  };
  const ended: { inDoubt: boolean }[] = [];
  const delivery = {
    isTracked: () => true,
    beginWrite: () => (outcome: { inDoubt: boolean }) => ended.push(outcome),
    publish: ({ message }: { message: { chatId: number } }) => publish(message.chatId),
  } as unknown as Delivery;
  const fake = database as unknown as Database;
  const dialogs = new Dialogs({ database: fake, chatWriter: {} as ChatWriter });
  const committer = new Committer({ database: fake, delivery });
  const sender = new MessageSender({
    batches: new BatchWriter({ database: fake, dialogs, committer }),
    concurrency: 2,
  });
  return {
    database,
    dialogs,
    ended,
    send: (
      to: { groupId: number } | { receiverId: number },
      { senderId = 1, content = "x", replyTo }: { senderId?: number; content?: string; replyTo?: number } = {},
    ) => sender.send({ to, senderId, content, replyTo, requester: undefined }),
  };
}

const allWritten = (chatIds: number[]) => chatIds.map(() => "written");

const databaseError = (code: string, constraint?: string) =>
  Object.assign(new Error(`SQLSTATE ${code}`), { severity: "ERROR", code, constraint });

describe("sending", () => {
  test("a chat whose changes cannot be delivered yet delays no message of another chat", async () => {
    const { send } = senderOn(allWritten, (chatId) => (chatId === 7 ? new Promise(() => {}) : undefined));
    void send({ groupId: 7 }, { senderId: 1 });
    const late = new Promise((resolve) => setTimeout(resolve, 200, "never"));
    expect(await Promise.race([send({ groupId: 8 }, { senderId: 2 }), late])).toMatchObject({ chatId: 8 });
  });

  test("messages that are stored one by one after a failed batch keep the order in which they were sent", async () => {
    const stored: string[] = [];
    let singles = 0;
    const { send } = senderOn((_chatIds, contents) => {
      if (contents.length > 1 && singles === 0) throw databaseError("23505");
      // Another transaction holds the chat at the first attempt, and no longer at the second.
      if (singles++ === 0) return ["held"];
      stored.push(...contents);
      return contents.map(() => "written");
    });
    await Promise.all(["one", "two"].map((content) => send({ groupId: 7 }, { content })));
    expect(stored).toEqual(["one", "two"]);
  });

  test("one message that the database rejects fails alone, and the others of its batch are stored", async () => {
    const { send, ended } = senderOn((_chatIds, contents) => {
      if (contents.includes("bad")) throw databaseError("22021");
      return contents.map(() => "written");
    });
    const outcomes = await Promise.allSettled(
      ["one", "bad", "two"].map((content) => send({ groupId: 7 }, { content })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(ended.some(({ inDoubt }) => inDoubt)).toBe(false);
  });

  test.each([
    ["for a deadlock", databaseError("40P01")],
    ["because another process stored the client id meanwhile", databaseError("23505", "messages_client_id_unique")],
  ])("a batch that was rolled back %s is stored when it is retried", async (_why, error) => {
    let attempts = 0;
    const { send, ended } = senderOn((chatIds) => {
      if (attempts++ === 0) throw error;
      return allWritten(chatIds);
    });
    await Promise.all(["one", "two"].map((content) => send({ groupId: 7 }, { content })));
    expect(attempts).toBe(2);
    expect(ended).toEqual([{ inDoubt: false }, { inDoubt: false }]);
  });

  test("a connection lost during the commit leaves the outcome unknown, and the send is not retried", async () => {
    let attempts = 0;
    const { send, ended } = senderOn(() => {
      attempts++;
      throw new Error("Connection terminated unexpectedly");
    });
    await expect(send({ groupId: 7 })).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("outcome is unknown"),
    });
    expect(attempts).toBe(1);
    expect(ended).toEqual([{ inDoubt: true }]);
  });

  test("nothing is stored twice when what was stored cannot be read back", async () => {
    const stored: string[] = [];
    const { send, database, ended } = senderOn((_chatIds, contents) => {
      stored.push(...contents);
      return contents.map(() => "written");
    });
    database.query = async () => {
      throw new Error("invalid page in block 7");
    };
    const outcomes = await Promise.allSettled([
      send({ groupId: 7 }, { senderId: 1, content: "one" }),
      send({ groupId: 7 }, { senderId: 2, content: "two", replyTo: 5 }),
    ]);
    expect(stored).toEqual(["one", "two"]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { kind: "unavailable" } });
    expect(ended).toEqual([{ inDoubt: true }]);
  });

  test("a dialog that is forgotten while its message is on the way still gets the message", async () => {
    const { dialogs, send } = senderOn(allWritten);
    // biome-ignore lint/complexity/useLiteralKeys: in brackets TypeScript lets one read what is private
    const remembered = dialogs["remembered"];
    remembered.set("1 2", 7);
    for (let other = 0; remembered.size < 100_000; other++) remembered.set(`5 ${100 + other}`, 100 + other);
    const [known, opened] = await Promise.allSettled([
      send({ receiverId: 2 }, { senderId: 1 }),
      send({ receiverId: 4 }, { senderId: 3 }),
    ]);
    expect(opened).toMatchObject({ status: "fulfilled" });
    expect(known).toMatchObject({ status: "fulfilled" });
  });
});
