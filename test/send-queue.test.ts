import { expect, test } from "@jest/globals";
import type { Database } from "../src/db/connect.ts";
import type { Delivery } from "../src/delivery/delivery.ts";
import type { ChatWriter } from "../src/writes/chat-log.ts";
import { Dialogs } from "../src/services/chats/dialogs.ts";
import { SendQueue } from "../src/writes/message-writer.ts";

/* What the writer makes of verdicts and failures, in moments chosen by the test, which no running database lets us do. */

/** A writer on a database that gives each message the verdict that `judge` says; nothing else is stored. */
function writerOn(
  judge: (chatIds: number[], contents: string[]) => string[],
  announce = (_chatId: number): Promise<void> | undefined => undefined,
) {
  let last = 0;
  const query = async ({ values }: { values: unknown[] }) => {
    const [chatIds, , , , , contents] = values as [number[], [], [], [], [], string[]];
    const verdicts = judge(chatIds, contents).map((verdict) => [verdict, ++last, last, last]);
    return { rows: [{ answer: { createdAt: new Date().toISOString(), verdicts, people: [], groups: [] } }] };
  };
  const database = {
    query: async () => [{ userId: 3, otherId: 4, chatId: 8 }],
    connectionManager: { getConnection: async () => ({ query, end: async () => {} }), releaseConnection() {} },
  } as unknown as Database;
  const delivery = {
    isTracked: () => true,
    beginWrite: () => () => {},
    publish: ({ message }: { message: { chatId: number } }) => announce(message.chatId),
  } as unknown as Delivery;
  const dialogs = new Dialogs({ database, chatWriter: {} as ChatWriter });
  const writer = new SendQueue({ database, dialogs, delivery, lanes: 2 });
  const send = (to: { groupId: number } | { receiverId: number }, senderId = 1, content = "x") =>
    writer.send({ to, senderId, content, requester: undefined });
  return { writer, dialogs, send };
}

const written = (chatIds: number[]) => chatIds.map(() => "written");

test("a chat that delivery cannot reach holds up no message of another chat", async () => {
  const { send } = writerOn(written, (chatId) => (chatId === 7 ? new Promise(() => {}) : undefined));
  void send({ groupId: 7 }, 1);
  const late = new Promise((resolve) => setTimeout(resolve, 200, "never"));
  expect(await Promise.race([send({ groupId: 8 }, 2), late])).toMatchObject({ chatId: 8 });
});

test("messages that are stored one by one keep the order in which they were sent", async () => {
  const stored: string[] = [];
  let looks = 0;
  const { send } = writerOn((_chatIds, contents) => {
    if (contents.length > 1 && looks === 0) {
      throw Object.assign(new Error("duplicate key"), { severity: "ERROR", code: "23505" });
    }
    // Somebody else holds the chat at the first look, and no longer at the second.
    if (looks++ === 0) return ["held"];
    stored.push(...contents);
    return contents.map(() => "written");
  });
  await Promise.all(["one", "two"].map((content) => send({ groupId: 7 }, 1, content)));
  expect(stored).toEqual(["one", "two"]);
});

test("nothing is stored twice when what was stored cannot be read back", async () => {
  const stored: string[] = [];
  const { writer } = writerOn((_chatIds, contents) => {
    stored.push(...contents);
    return contents.map(() => "written");
  });
  // biome-ignore lint/complexity/useLiteralKeys: in brackets TypeScript lets one read what is private
  writer["options"].database.query = async () => {
    throw new Error("invalid page in block 7");
  };
  const send = (senderId: number, content: string, replyTo?: number) =>
    writer.send({ to: { groupId: 7 }, senderId, content, replyTo, requester: undefined });
  const outcomes = await Promise.allSettled([send(1, "one"), send(2, "two", 5)]);
  expect(stored).toEqual(["one", "two"]);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { kind: "unavailable" } });
});

test("a dialog that falls out of memory while its message is on the way is not said to have no such user", async () => {
  const { dialogs, send } = writerOn(written);
  // biome-ignore lint/complexity/useLiteralKeys: in brackets TypeScript lets one read what is private
  const remembered = dialogs["remembered"];
  remembered.set("1 2", 7);
  for (let other = 0; remembered.size < 100_000; other++) remembered.set(`5 ${100 + other}`, 100 + other);
  const [known, opened] = await Promise.allSettled([send({ receiverId: 2 }, 1), send({ receiverId: 4 }, 3)]);
  expect(opened).toMatchObject({ status: "fulfilled" });
  expect(known).toMatchObject({ status: "fulfilled" });
});
