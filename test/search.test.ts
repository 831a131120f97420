import { describe, expect, test } from "@jest/globals";
import type { Database } from "../src/db/connect.ts";
import { purgeEndedChat, someEndedChat } from "../src/db/queries/messages/ended-chats.ts";
import { MessageSearch } from "../src/services/search/message-search.ts";
import { admin } from "./support/admin.ts";
import { onServer } from "./support/databases.ts";
import { TestMessenger, useMessenger } from "./support/messenger.ts";
import {
  block,
  createGroup,
  deleteAccount,
  errorOf,
  participants,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";
import { search, searchTexts } from "./support/search.ts";

/* Search in messages: what is found, for whom, and what becomes of it when messages change. */

const messenger = useMessenger();

/** A group of Ann and Bob. */
async function groupOfTwo() {
  const [ann, bob, stranger] = await participants(messenger(), 2, 1, 1);
  const groupId = await createGroup(ann.device, [bob]);
  const send = async (...texts: string[]) => {
    const sent = [];
    for (const text of texts) sent.push(await sendToGroup(ann.device, groupId, text));
    return sent;
  };
  return { ann, bob, stranger, groupId, send };
}

/** A database that does something before the statement that reads messages by id. */
const beforeReading = (database: Database, act: () => Promise<unknown>): Database =>
  Object.create(database, {
    query: {
      value: async (...given: Parameters<Database["query"]>) => {
        if (String(given[0]).includes("$messageIds")) await act();
        return database.query(...given);
      },
    },
  });

describe("a search", () => {
  test("finds messages of all own chats that contain all words, the newest first, with highlights", async () => {
    const { ann, bob, groupId, send } = await groupOfTwo();
    await send("Lunch at noon?", "Dinner at eight");
    await sendPrivately(bob.device, ann.id, "No LUNCH today, sorry");
    const { data, item } = await search(ann.device, "lunch");
    expect(data).toMatchObject([
      { message: "No LUNCH today, sorry", senderId: bob.id, receiverId: ann.id, highlights: [[3, 5]] },
      { message: "Lunch at noon?", senderId: ann.id, groupId, highlights: [[0, 5]] },
    ]);
    expect(item).toEqual({ cursor: null, behind: false });
    expect(await searchTexts(ann.device, "noon unc")).toEqual(["Lunch at noon?"]);
    expect(await searchTexts(ann.device, "lunch dinner")).toEqual([]);
  });

  test.each([
    ["Crème brûlée", "creme"],
    ["creme brulee", "CRÈME"],
    ["Привет из Москвы", "москв"],
    ["Ёлка", "елка"],
    ["明日は東京タワーへ", "京"],
    ["明日は東京タワーへ", "東京"],
    ["明天去北京吃饭", "北京吃"],
    ["한국어 공부", "국어"],
    ["a 100% sure_thing \\o/", "%" + " 100%"],
    ["a 100% sure_thing \\o/", "e_t"],
    ["a 100% sure_thing \\o/", "\\o"],
    ["Straße", "STRASSE"],
    ["it's O'Brien $1 $word0", "o'b $1 $word0"],
  ])("finds %j by %j", async (text, query) => {
    const { ann, groupId, send } = await groupOfTwo();
    await send(text, "another text");
    const words = query.replace("% ", "");
    expect(await searchTexts(ann.device, words, { chatId: groupId })).toEqual([text]);
  });

  test("takes wildcards of SQL as ordinary characters", async () => {
    const { ann, groupId, send } = await groupOfTwo();
    await send("abc", "a%c", "a_c", "a\\c");
    for (const query of ["a%c", "a_c", "a\\c"]) {
      expect(await searchTexts(ann.device, query, { chatId: groupId })).toEqual([query]);
    }
    expect(await searchTexts(ann.device, "%%", { chatId: groupId })).toEqual([]);
  });

  test("narrows by chat, sender and time", async () => {
    const { ann, bob, groupId } = await groupOfTwo();
    const first = await sendToGroup(ann.device, groupId, "pizza one");
    const second = await sendToGroup(bob.device, groupId, "pizza two");
    await sendPrivately(ann.device, bob.id, "pizza three");
    const texts = (options: object) => searchTexts(ann.device, "pizza", options);
    expect(await texts({ chatId: groupId })).toEqual(["pizza two", "pizza one"]);
    expect(await texts({ senderId: ann.id })).toEqual(["pizza three", "pizza one"]);
    expect(await texts({ senderId: unknownId })).toEqual([]);
    expect(await texts({ before: second.createdAt })).toEqual(["pizza one"]);
    expect(await texts({ after: first.createdAt, chatId: groupId })).toEqual(["pizza two"]);
  });

  test("returns pages that end with a cursor of null, each message once", async () => {
    const { ann, groupId, send } = await groupOfTwo();
    await send("page 1", "page 2", "other", "page 3", "page 4", "page 5");
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await search(ann.device, "page", { chatId: groupId, limit: 2, ...(cursor !== null && { cursor }) });
      found.push(...page.data.map(({ message }: { message: string }) => message));
      cursor = page.item.cursor;
    } while (cursor !== null);
    expect(found).toEqual(["page 5", "page 4", "page 3", "page 2", "page 1"]);
  });

  test("ends an answer at 512 KiB and continues there", async () => {
    const { ann, groupId } = await groupOfTwo();
    const text = "€".repeat(4090);
    for (let n = 10; n < 60; n++) await sendToGroup(ann.device, groupId, `${text} ${n}`);
    const first = await search(ann.device, "€€", { chatId: groupId });
    expect(first.data.length).toBeLessThan(50);
    const second = await search(ann.device, "€€", { chatId: groupId, cursor: first.item.cursor });
    expect([...first.data, ...second.data]).toHaveLength(50);
    expect(second.item.cursor).toBeNull();
  });

  test("marks own reactions", async () => {
    const { ann, bob, groupId, send } = await groupOfTwo();
    const [sent] = await send("react to me");
    await bob.device.request("react", { messageId: sent?.messageId ?? 0, emoji: "👍", on: true });
    const [found] = (await search(bob.device, "react", { chatId: groupId })).data;
    expect(found).toMatchObject({ reactions: [{ emoji: "👍", mine: true }] });
    const [other] = (await search(ann.device, "react", { chatId: groupId })).data;
    expect(other?.reactions).toEqual([{ emoji: "👍", count: 1, userIds: [bob.id] }]);
  });

  test.each([
    ["one letter", { query: "a" }, "query"],
    ["a wildcard alone", { query: "%" }, "query"],
    ["an underscore alone", { query: "_" }, "query"],
    ["a backslash alone", { query: "\\" }, "query"],
    ["a space", { query: " " }, "query"],
    ["nothing", { query: "" }, "query"],
    ["1,000 characters", { query: "a".repeat(1000) }, "query"],
    ["six words", { query: "aa bb cc dd ee ff" }, "query"],
    ["a lone surrogate", { query: "ab\ud800" }, "query"],
    ["too many rows", { query: "ab", limit: 51 }, "limit"],
    ["an unreadable cursor", { query: "ab", cursor: "x" }, "cursor"],
    ["an unreadable time", { query: "ab", before: "yesterday" }, "before"],
  ])("for %s is rejected", async (_, params, field) => {
    const { ann } = await groupOfTwo();
    const error = await ann.device.requestError("searchMessages", { limit: 10, ...params });
    expect(error).toMatchObject({ code: "VALIDATION", field: `params.${field}` });
  });

  test("of 200 characters, and for a part of a long text, works", async () => {
    const { ann, groupId, send } = await groupOfTwo();
    const text = Array.from({ length: 900 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join("");
    await send(text);
    expect(await searchTexts(ann.device, text.slice(300, 500), { chatId: groupId })).toEqual([text]);
  });
});

describe("what may be read", () => {
  test("is found by members only: not by strangers, nor after leaving or removal", async () => {
    const { ann, bob, stranger, groupId, send } = await groupOfTwo();
    await send("top secret");
    expect(await searchTexts(bob.device, "secret")).toEqual(["top secret"]);
    await bob.device.request("leaveGroup", { groupId });
    for (const { device } of [bob, stranger]) {
      expect(await searchTexts(device, "secret")).toEqual([]);
      const foreign = await errorOf(device, "searchMessages", { query: "secret", limit: 5, chatId: groupId });
      expect(foreign).toMatchObject({ code: "NOT_MEMBER" });
      expect(foreign).toEqual(
        await errorOf(device, "searchMessages", { query: "secret", limit: 5, chatId: unknownId }),
      );
    }
    await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
    expect(await searchTexts(bob.device, "secret")).toEqual(["top secret"]);
    await ann.device.request("deleteGroup", { groupId });
    expect(await searchTexts(ann.device, "secret")).toEqual([]);
  });

  test("does not include a cleared dialog, except for its other side", async () => {
    const { ann, bob } = await groupOfTwo();
    await sendPrivately(ann.device, bob.id, "cleared words");
    expect(await searchTexts(ann.device, "cleared")).toEqual(["cleared words"]);
    await ann.device.request("clearDialog", { receiverId: bob.id });
    expect(await searchTexts(ann.device, "cleared")).toEqual([]);
    await sendPrivately(bob.device, ann.id, "words again");
    expect(await searchTexts(ann.device, "words")).toEqual(["words again"]);
    expect(await searchTexts(bob.device, "words")).toEqual(["words again", "cleared words"]);
  });

  test("includes dialogs with a person who blocks, and with a deleted account", async () => {
    const { ann, bob } = await groupOfTwo();
    await sendPrivately(ann.device, bob.id, "kept words");
    await block(messenger(), bob, ann);
    expect(await searchTexts(ann.device, "kept")).toEqual(["kept words"]);
    await deleteAccount(messenger(), bob);
    expect(await searchTexts(ann.device, "kept")).toEqual(["kept words"]);
  });

  test("does not include system messages", async () => {
    const { ann, groupId } = await groupOfTwo();
    await ann.device.request("renameGroup", { groupId, groupName: "zebra crossing" });
    expect(await searchTexts(ann.device, "zebra", { chatId: groupId })).toEqual([]);
  });
});

describe("a message", () => {
  const texts = (messageId: number) =>
    messenger().sql("SELECT text FROM message_texts WHERE message_id = $messageId", { messageId });

  test("is found by its present text only", async () => {
    const { ann, bob, send } = await groupOfTwo();
    const [sent] = await send("before the edit");
    const messageId = sent?.messageId ?? 0;
    expect(await searchTexts(bob.device, "before")).toEqual(["before the edit"]);
    await ann.device.request("editMessage", { messageId, content: "after the change" });
    const { params } = await bob.device.request("searchMessages", { query: "before", limit: 5 });
    expect(params.data).toEqual([]);
    expect(await searchTexts(bob.device, "after")).toEqual(["after the change"]);
    expect(await searchTexts(bob.device, "edit")).toEqual([]);
  });

  test("loses its searchable text in the transaction that deletes it", async () => {
    const { ann, bob, send } = await groupOfTwo();
    const [sent] = await send("delete me");
    const messageId = sent?.messageId ?? 0;
    expect(await searchTexts(bob.device, "delete")).toEqual(["delete me"]);
    await ann.device.request("deleteMessage", { messageId });
    const { params } = await bob.device.request("searchMessages", { query: "delete", limit: 5 });
    expect(params.data).toEqual([]);
    expect(await texts(messageId)).toEqual([]);
    expect(await searchTexts(bob.device, "delete")).toEqual([]);
    expect(await texts(messageId)).toEqual([]);
  });

  test("loses it when its ended group is purged, also if its row is kept", async () => {
    const { ann, groupId, send } = await groupOfTwo();
    const [removed] = await send("purge me");
    const kept = await sendToGroup(ann.device, groupId, "purge me too", { clientMessageId: "a-client-id" });
    const ids = [removed?.messageId ?? 0, kept.messageId];
    expect(await searchTexts(ann.device, "purge")).toHaveLength(2);
    await ann.device.request("deleteGroup", { groupId });
    const someEnded = () => someEndedChat(messenger().db, { endedForMs: 0 });
    for (let id = await someEnded(); id !== undefined; id = await someEnded()) await purgeEndedChat(messenger().db, id);
    const rows = await messenger().sql("SELECT FROM messages WHERE id = ANY ($ids::bigint[])", { ids });
    expect(rows).toHaveLength(1);
    for (const id of ids) expect(await texts(id)).toEqual([]);
  });

  test("loses it when the account of its sender is erased", async () => {
    const { ann, bob, send } = await groupOfTwo();
    const [sent] = await send("erase me");
    expect(await searchTexts(bob.device, "erase")).toEqual(["erase me"]);
    const { token } = await admin(messenger());
    await messenger().http("DELETE", `/admin/users/${ann.id}?erase=true`, { token });
    while ((await messenger().sql("SELECT FROM message_erasures")).length > 0);
    expect(await texts(sent?.messageId ?? 0)).toEqual([]);
    expect(await searchTexts(bob.device, "erase")).toEqual([]);
  });
});

describe("the rate limit of searches", () => {
  test("does not affect other requests", async () => {
    const limited = await TestMessenger.start({ RATE_LIMITS: "on", LIMIT_SEARCHES_PER_USER: "2+1/60s" });
    try {
      const [ann] = await participants(limited, 1);
      const params = { query: "lunch", limit: 5 };
      for (let n = 0; n < 2; n++) await ann.device.request("searchMessages", params);
      const error = await ann.device.requestError("searchMessages", params);
      expect(error).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: expect.any(Number) });
      await ann.device.request("listLastMessage", { limit: 5, page: 1 });
      await limited.closeDevices();
    } finally {
      await limited.stop();
    }
  });
});

(onServer ? test : test.skip)("a search shows nothing that was written after it has begun", async () => {
  const { ann, bob, groupId, send } = await groupOfTwo();
  const [sent] = await send("Lunch at noon?");
  const messageId = sent?.messageId ?? 0;
  await searchTexts(bob.device, "lunch");
  const database = beforeReading(messenger().db, async () => {
    await ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
    await ann.device.request("editMessage", { messageId, content: "Lunch without Bob" });
  });
  const { found } = await new MessageSearch({ database }).search(bob.id, { query: "lunch", limit: 20 }, () => 0);
  expect(found.map(({ message }) => message.content)).toEqual(["Lunch at noon?"]);
});
