import { describe, expect, test } from "@jest/globals";
import { emoji } from "../src/contract/fields.ts";
import type { MessageItem } from "../src/contract/messages.ts";
import { check } from "../src/contract/schema.ts";
import { deletedUserWithReactions, someReactedMessages } from "../src/db/queries/messages/reactions.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  annAndBobInDialog,
  block,
  chatHistory,
  createGroup,
  deleteAccount,
  errorOf,
  groupHistory,
  type Participant,
  participant,
  participants,
  pushesDuring,
  pushesOfType,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Reactions: what is an emoji, who may react, what is stored and pushed, and what is read for one person. */

const messenger = useMessenger();

const react = async ({ device }: Participant, messageId: number, text: string, on = true): Promise<MessageItem> =>
  (await device.request("react", { messageId, emoji: text, on })).params.item;

const listReactions = async ({ device }: Participant, messageId: number) =>
  (await device.request("listReactions", { messageId, limit: 100, page: 1 })).params.data;

/** Different emoji that every version of Unicode has. */
const manyEmoji = [..."😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔"];

/** A group of three with a message of the first. */
async function groupWithMessage() {
  const [ann, bob, clara] = await participants(messenger(), 2, 2, 1);
  const groupId = await createGroup(ann.device, [bob, clara]);
  const { messageId, version } = await sendToGroup(ann.device, groupId, "Hi");
  for (const { devices } of [ann, bob, clara]) for (const device of devices) await device.settle();
  return { ann, bob, clara, groupId, messageId, version };
}

describe("the emoji of a reaction", () => {
  test.each([
    ["of one code point", "👍"],
    ["with the selector that it needs", "❤️"],
    ["with a skin tone", "👍🏽"],
    ["of a family", "👨‍👩‍👧‍👦"],
    ["of a couple with two skin tones", "🧑🏻‍❤️‍💋‍🧑🏿"],
    ["of a flag", "🇩🇪"],
    ["of the flag of a part of a country", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
    ["of a keycap", "1️⃣"],
    ["of a profession", "👩🏾‍🚒"],
  ])("%s is accepted", (_what, text) => {
    expect(check(emoji(), text, { label: "emoji" })).toBe(text);
  });

  test.each([
    ["an empty text", ""],
    ["a letter", "a"],
    ["a digit", "1"],
    ["a word", "thumbsup"],
    ["a heart without its selector", "❤"],
    ["a skin tone by itself", "🏽"],
    ["half of a flag", "🇩"],
    ["a joiner", "\u200d"],
    ["two emoji", "👍👍"],
    ["an emoji and a letter", "👍a"],
    ["an emoji and a space", "👍 "],
    ["joined emoji that are not recommended", "👍‍👎"],
    ["a text of 33 units", `${"👨‍👩‍👧‍👦‍".repeat(3)}`],
    ["half a character", "\ud83d"],
    ["no text", 1],
  ])("%s is rejected", (_what, text) => {
    expect(() => check(emoji(), text, { label: "emoji" })).toThrow(/"emoji" /);
  });

  test("is stored as it was sent, or named as the invalid field", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    const family = "👨‍👩‍👧‍👦";
    const stored = { emoji: family, count: 1, userIds: [bob.id] };
    expect((await react(bob, messageId, family)).reactions).toEqual([stored]);
    const answer = await bob.device.requestError("react", { messageId, emoji: "👍👍", on: true });
    expect(answer).toMatchObject({ code: "VALIDATION", field: "params.emoji" });
  });
});

describe("a reaction", () => {
  test("takes the chat's next version, keeps seq and is pushed to every device but the requesting one", async () => {
    const { ann, bob, clara, groupId, messageId, version } = await groupWithMessage();
    const item = await react(bob, messageId, "👍");
    expect(item).toMatchObject({
      ...{ messageId, version: version + 1, message: "Hi", editedAt: null, deletedAt: null, senderId: ann.id },
      change: { kind: "reaction", by: bob.id, emoji: "👍", on: true },
      reactions: [{ emoji: "👍", count: 1, userIds: [bob.id] }],
    });
    for (const device of [...ann.devices, bob.otherDevice, clara.device]) {
      expect(await device.nextPush("react")).toMatchObject({ params: { message: "Hi", item } });
    }
    expect(await pushesOfType(bob.device, "react")).toEqual([]);

    const removed = await react(bob, messageId, "👍", false);
    expect(removed).toMatchObject({ version: version + 2, change: { by: bob.id, emoji: "👍", on: false } });
    expect(removed).not.toHaveProperty("reactions");
    expect((await chatHistory(clara.device, groupId)).at(-1)).toEqual(removed);
  });

  test("is marked as one's own only in answers that are read for one person", async () => {
    const { ann, bob, clara, groupId, messageId } = await groupWithMessage();
    await react(bob, messageId, "👍");
    const item = await react(ann, messageId, "👍");
    expect(item.reactions).toEqual([{ emoji: "👍", count: 2, userIds: [bob.id, ann.id] }]);
    const ownOf = async ({ device }: Participant) => {
      const [read] = (await chatHistory(device, groupId)).slice(-1);
      const [row] = await groupHistory(device, groupId);
      const synced = await device.request("sync", { chats: [[groupId, 0, 0]] });
      const [changed] = synced.params.item.chats.flatMap(({ messages }) => messages).slice(-1);
      const own = [read, row, changed].map((message) => message?.reactions?.[0]);
      return own.map((reaction) => ("mine" in (reaction ?? {}) ? reaction?.mine : undefined));
    };
    expect(await ownOf(ann)).toEqual([true, true, true]);
    expect(await ownOf(clara)).toEqual([undefined, undefined, undefined]);
  });

  test("is listed with today's names, the earliest first", async () => {
    const { ann, bob, messageId } = await groupWithMessage();
    await react(bob, messageId, "❤️");
    await react(ann, messageId, "👍");
    await messenger().http("PATCH", "/users/me", { token: bob.token, body: { firstName: "Robert" } });
    expect(await listReactions(ann, messageId)).toEqual([
      { userId: bob.id, firstName: "Robert", lastName: null, emoji: "❤️", createdAt: expect.any(String) },
      { userId: ann.id, firstName: ann.firstName, lastName: null, emoji: "👍", createdAt: expect.any(String) },
    ]);
  });

  test("stays in the order of the earliest that still stands", async () => {
    const { ann, bob, messageId } = await groupWithMessage();
    await react(bob, messageId, "❤️");
    await react(bob, messageId, "👍");
    await react(ann, messageId, "❤️");
    const item = await react(bob, messageId, "❤️", false);
    expect(item.reactions).toEqual([
      { emoji: "👍", count: 1, userIds: [bob.id] },
      { emoji: "❤️", count: 1, userIds: [ann.id] },
    ]);
  });

  test("that is as wanted already is answered with the message and stores nothing", async () => {
    const { bob, messageId, clara } = await groupWithMessage();
    const item = await react(bob, messageId, "👍");
    expect(await react(bob, messageId, "👍")).toEqual(item);
    expect(await react(bob, messageId, "🎉", false)).toEqual(item);
    expect(await pushesOfType(clara.device, "react")).toHaveLength(1);
  });

  test("of two devices at once is one change", async () => {
    const { bob, clara, messageId, version } = await groupWithMessage();
    const answers = await Promise.all(
      bob.devices.map((device) => device.request("react", { messageId, emoji: "👍", on: true })),
    );
    expect(answers.map(({ params }) => params.item.version)).toEqual([version + 1, version + 1]);
    expect(await pushesOfType(clara.device, "react")).toHaveLength(1);
  });

  test("leaves read positions, unread counts and the order of chats as they were", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const [first] = await chatHistory(bob.device, chatId);
    await sendPrivately(ann.device, bob.id, "more");
    const listed = async () => (await bob.device.request("listLastMessage", { limit: 5, page: 1 })).params.data;
    const before = await listed();
    await react(ann, first?.messageId ?? 0, "👍");
    const after = await listed();
    expect(after).toEqual(before.map((row) => ({ ...row, chatVersion: row.chatVersion + 1 })));
  });

  test("does not change what a repeated send is compared with, and is not shown to a sender who has left", async () => {
    const { ann, bob, groupId } = await groupWithMessage();
    const send = { groupId, content: "Hello", clientMessageId: "first-hello" };
    const sent = (await bob.device.request("messageInGroup", send)).params.item;
    const item = await react(ann, sent.messageId, "👍");
    expect((await bob.device.request("messageInGroup", send)).params.item).toEqual({ ...item, duplicate: true });
    const other = await bob.device.requestError("messageInGroup", { ...send, content: "Bye" });
    expect(other).toMatchObject({ code: "CONFLICT" });
    await bob.device.request("leaveGroup", { groupId });
    const { groupName: _, ...asSent } = sent;
    expect((await bob.device.request("messageInGroup", send)).params.item).toEqual({ ...asSent, duplicate: true });
  });
});

describe("the limits of reactions", () => {
  test("are ten of one person and twenty different ones", async () => {
    const { ann, bob, clara, messageId } = await groupWithMessage();
    for (const one of manyEmoji.slice(0, 10)) await react(ann, messageId, one);
    const eleventh = await ann.device.requestError("react", { messageId, emoji: manyEmoji[10], on: true });
    expect(eleventh).toMatchObject({ code: "LIMIT" });
    for (const one of manyEmoji.slice(10, 20)) await react(bob, messageId, one);
    const different = await clara.device.requestError("react", { messageId, emoji: manyEmoji[20], on: true });
    expect(different).toMatchObject({ code: "LIMIT" });
    const item = await react(clara, messageId, manyEmoji[19] ?? "");
    expect(item.reactions).toHaveLength(20);
    expect(item.reactions?.at(-1)).toMatchObject({ count: 2 });
  });
});

describe("a reaction is refused", () => {
  test("to a deleted message, a system message and an unknown one", async () => {
    const { ann, bob, groupId, messageId } = await groupWithMessage();
    await ann.device.request("deleteMessage", { messageId });
    const [created] = await chatHistory(ann.device, groupId);
    const codeOf = async (id: number) =>
      (await bob.device.requestError("react", { messageId: id, emoji: "👍", on: true })).code;
    expect(await codeOf(messageId)).toBe("FORBIDDEN");
    expect(await codeOf(created?.messageId ?? 0)).toBe("FORBIDDEN");
    expect(await codeOf(unknownId)).toBe("NOT_FOUND");
  });

  test("outside of the chat with the error for an unknown message", async () => {
    const { ann, bob, groupId, messageId } = await groupWithMessage();
    const stranger = await participant(messenger());
    await ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
    for (const [type, more] of [
      ["react", { emoji: "👍", on: true }],
      ["listReactions", { limit: 5, page: 1 }],
      ["pinMessage", { on: true }],
    ] as const) {
      const unknown = await errorOf(stranger.device, type, { messageId: unknownId, ...more });
      expect(unknown).toMatchObject({ code: "NOT_FOUND", message: "There is no such message" });
      expect(await errorOf(stranger.device, type, { messageId, ...more })).toEqual(unknown);
      expect(await errorOf(bob.device, type, { messageId, ...more })).toEqual(unknown);
    }
  });

  test("to a person who blocks, or has deleted the account, like a message to them", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    await block(messenger(), bob, ann);
    for (const [type, more] of [
      ["react", { emoji: "👍", on: true }],
      ["pinMessage", { on: true }],
    ] as const) {
      const refused = await errorOf(ann.device, type, { messageId, ...more });
      const send = await errorOf(ann.device, "privateMessage", { receiverId: bob.id, content: "Hi?" });
      expect({ ...refused, type: send.type }).toEqual(send);
    }
    expect(await react(bob, messageId, "👍")).toMatchObject({ reactions: [{ count: 1 }] });
    await deleteAccount(messenger(), bob);
    expect(await errorOf(ann.device, "react", { messageId, emoji: "👍", on: true })).toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("while the message is being deleted, or the person removed: never afterwards", async () => {
    const { ann, bob, clara, groupId, messageId } = await groupWithMessage();
    const [deleted, raced] = await Promise.all([
      ann.device.request("deleteMessage", { messageId }),
      bob.device.exchange({ type: "react", params: { messageId, emoji: "👍", on: true } }),
    ]);
    expect(raced.error ? raced.code : raced.params.item.version < deleted.params.item.version).toBe(
      raced.error ? "FORBIDDEN" : true,
    );
    expect((await chatHistory(clara.device, groupId)).at(-1)).not.toHaveProperty("reactions");

    const { messageId: second } = await sendToGroup(ann.device, groupId, "again");
    const [removal, late] = await Promise.all([
      ann.device.request("removeUserFromGroup", { groupId, userId: bob.id }),
      bob.device.exchange({ type: "react", params: { messageId: second, emoji: "👍", on: true } }),
    ]);
    expect(late.error ? late.code : late.params.item.version < removal.params.item.version).toBe(
      late.error ? "NOT_FOUND" : true,
    );
  });
});

describe("reactions are removed", () => {
  test("with their message, which has none in any list", async () => {
    const { ann, bob, clara, messageId } = await groupWithMessage();
    await react(bob, messageId, "👍");
    const item = (await ann.device.request("deleteMessage", { messageId })).params.item;
    expect(item).not.toHaveProperty("reactions");
    expect(
      await messenger().sql("SELECT * FROM message_reactions WHERE message_id = $messageId", { messageId }),
    ).toEqual([]);
    const listed = await clara.device.requestError("listReactions", { messageId, limit: 5, page: 1 });
    expect(listed).toMatchObject({ code: "NOT_FOUND" });
  });

  test("with the account, each message under a version of its own, also in groups left before", async () => {
    const { ann, bob, clara, groupId, messageId } = await groupWithMessage();
    const { messageId: second } = await sendToGroup(ann.device, groupId, "second");
    for (const id of [messageId, second]) {
      await react(bob, id, "👍");
      await react(bob, id, "🎉");
    }
    await react(clara, messageId, "👍");
    const otherGroup = await createGroup(ann.device, [bob]);
    const { messageId: elsewhere } = await sendToGroup(ann.device, otherGroup, "elsewhere");
    await react(bob, elsewhere, "👍");
    await bob.device.request("leaveGroup", { groupId: otherGroup });

    const removed = async (id: number) => {
      for (;;) {
        const push = await ann.otherDevice.nextPush("react");
        const item = push.params.item as MessageItem;
        if (item.messageId === id && !item.change?.emoji) return item;
      }
    };
    const [pushes] = await pushesDuring([clara.device], async () => {
      await deleteAccount(messenger(), bob);
      const first = await removed(messageId);
      expect(first.reactions).toEqual([{ emoji: "👍", count: 1, userIds: [clara.id] }]);
      expect(first.change).toEqual({ kind: "reaction", by: bob.id });
      const next = await removed(second);
      expect(next).toMatchObject({ version: first.version + 1, change: { kind: "reaction", by: bob.id } });
      expect(next).not.toHaveProperty("reactions");
      expect(await removed(elsewhere)).not.toHaveProperty("reactions");
    });
    expect(pushes?.filter(({ type }) => type === "react")).toHaveLength(2);
    expect(await messenger().sql("SELECT * FROM message_reactions WHERE user_id = $id", { id: bob.id })).toEqual([]);
  });

  test("by a job, where a process has ended before it had removed all of a deleted account", async () => {
    const { bob, messageId } = await groupWithMessage();
    await deleteAccount(messenger(), bob);
    const { db } = messenger();
    expect(await deletedUserWithReactions(db)).toBeUndefined();
    await messenger().sql("INSERT INTO message_reactions VALUES ($messageId, $userId, '👍') RETURNING emoji", {
      messageId,
      userId: bob.id,
    });
    expect(await deletedUserWithReactions(db)).toBe(bob.id);
    expect(await someReactedMessages(db, { userId: bob.id, limit: 200 })).toMatchObject({ messageIds: [messageId] });
  });
});
