import { describe, expect, test } from "@jest/globals";
import type { Database } from "../src/db/connect.ts";
import type { Delivery } from "../src/delivery/delivery.ts";
import type { ChatWriter } from "../src/writes/chat-transaction.ts";
import { Committer } from "../src/writes/commit.ts";
import { Dialogs } from "../src/writes/dialogs.ts";
import { MessageSender } from "../src/writes/message-sender.ts";
import { RepeatedSends } from "../src/writes/repeated-sends.ts";
import { BatchWriter } from "../src/writes/send-batch.ts";

/* Sending on a scripted database: the handling of results and failures at moments chosen by the test. */

/** A sender on a database that gives each message the result that `store` returns; nothing else is stored. */
function senderOn(
  store: (chatIds: number[], contents: string[]) => string[],
  publish = (_chatId: number): Promise<void> | undefined => undefined,
  isTracked = true,
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
    isTracked: () => isTracked,
    beginWrite: () => (outcome: { inDoubt: boolean }) => ended.push(outcome),
    publish: ({ message }: { message: { chatId: number } }) => publish(message.chatId),
  } as unknown as Delivery;
  const fake = database as unknown as Database;
  const dialogs = new Dialogs({ database: fake, chatWriter: {} as ChatWriter });
  let versionReads = 0;
  const readStartVersions = async () => {
    versionReads++;
    return [];
  };
  const committer = new Committer({ delivery, readStartVersions });
  const sender = new MessageSender({
    batches: new BatchWriter({
      database: fake,
      dialogs,
      committer,
      repeatedSends: new RepeatedSends({ database: fake, committer }),
    }),
    concurrency: 2,
  });
  return {
    database,
    dialogs,
    ended,
    versionReads: () => versionReads,
    send: (
      to: { groupId: number } | { receiverId: number },
      { senderId = 1, content = "x", replyTo }: { senderId?: number; content?: string; replyTo?: number } = {},
    ) =>
      sender.send({
        to,
        senderId,
        content,
        replyTo,
        mentions: [],
        mentionsAll: false,
        fileIds: [],
        requester: undefined,
      }),
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

  test.each([true, false])("a refused message costs the same reads, whether its chat is in use (%s)", async (inUse) => {
    const { send, versionReads } = senderOn((chatIds) => chatIds.map(() => "refused"), undefined, inUse);
    await expect(send({ groupId: 7 })).rejects.toMatchObject({ kind: "notMember" });
    expect(versionReads()).toBe(1);
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

  test("a message is stored soon, although more arrive in each turn of a slow event loop", async () => {
    const batches: number[] = [];
    const { send } = senderOn((chatIds) => {
      batches.push(chatIds.length);
      return allWritten(chatIds);
    });
    const sends: Promise<unknown>[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const nextTurn = new Promise(setImmediate);
      sends.push(send({ groupId: 7 }, { senderId: turn }));
      const turnEnd = performance.now() + 10;
      while (performance.now() < turnEnd);
      await nextTurn;
    }
    await Promise.all(sends);
    expect(batches[0]).toBeLessThan(5);
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
    const remembered = dialogs["cached"];
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
