import { describe, expect, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import type { Device } from "./support/device.ts";
import { upload } from "./support/files.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  chatHistory,
  createGroup,
  errorOf,
  findChat,
  groupHistory,
  numbers,
  type Participant,
  participants,
  pushesOfType,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Mentions: what may be sent, what is stored and pushed, what counts as unread, and the list of one's mentions. */

const messenger = useMessenger();

/** Mentions of people at the start of "@a @b @c …", each of two units. */
const mentioning = (...userIds: number[]) => userIds.map((userId, n) => ({ userId, offset: 3 * n, length: 2 }));
const text = "@a @b @c Hi";

const send = async ({ device }: Participant, groupId: number, more: object = {}): Promise<MessageItem> =>
  (await device.request("messageInGroup", { groupId, content: text, ...more })).params.item;

const edit = async ({ device }: Participant, messageId: number, more: object = {}): Promise<MessageItem> =>
  (await device.request("editMessage", { messageId, content: text, ...more })).params.item;

const listMentions = async ({ device }: Participant, page: { limit: number; before?: number } = { limit: 100 }) => {
  const { data, item } = (await device.request("listMentions", page)).params;
  return { data, cursor: item?.cursor ?? null };
};

/** The number of unread mentions in a chat: the same in the list of chats and in the answer of a sync. */
async function unreadMentions(device: Device, chatId: number): Promise<number | undefined> {
  const listed = (await findChat(device, chatId))?.mentions;
  const { item } = (await device.request("sync", { chats: [[chatId, 0, 0]], range: [chatId, chatId] })).params;
  expect(item.chats[0]?.mentions).toBe(listed);
  return listed;
}

/** A group of Ann, its owner, Bob and Clara, and a stranger. */
async function group() {
  const [ann, bob, clara, dora] = await participants(messenger(), 2, 2, 1, 1);
  const groupId = await createGroup(ann.device, [bob, clara]);
  for (const { devices } of [ann, bob, clara, dora]) for (const device of devices) await device.settle();
  return { ann, bob, clara, dora, groupId };
}

/** Adds members without devices until the group has so many. */
async function fill({ device }: Participant, groupId: number, { from, to }: { from: number; to: number }) {
  for (const _ of numbers(from + 1, to)) {
    const { id } = await messenger().person();
    await device.request("addUserInGroup", { groupId, userId: id });
  }
}

describe("mentions are rejected", () => {
  const whole = { userId: 1, offset: 0, length: 2 };
  test.each<[what: string, content: string, mentions: unknown, field: string]>([
    ["beyond the text", "Hi", [{ ...whole, length: 3 }], "params.mentions[0]"],
    ["behind the text", "Hi", [{ ...whole, offset: 2, length: 1 }], "params.mentions[0]"],
    ["before the text", "Hi", [{ ...whole, offset: -1 }], "params.mentions[0].offset"],
    ["of no length", "Hi", [{ ...whole, length: 0 }], "params.mentions[0].length"],
    ["at a fraction", "Hi", [{ ...whole, offset: 0.5 }], "params.mentions[0].offset"],
    ["that overlap", "Hi you", [whole, { ...whole, offset: 1 }], "params.mentions[1]"],
    ["that overlap in another order", "Hi you", [{ ...whole, offset: 1 }, whole], "params.mentions[0]"],
    ["twice at one place", "Hi", [whole, { ...whole, userId: 2 }], "params.mentions[1]"],
    ["that begin inside a surrogate pair", "😀 Hi", [{ ...whole, offset: 1 }], "params.mentions[0]"],
    ["that end inside a surrogate pair", "a😀", [whole], "params.mentions[0]"],
    [
      "of more than 50 people",
      "a".repeat(51),
      numbers(0, 50).map((offset) => ({ userId: 1, offset, length: 1 })),
      "params.mentions",
    ],
    ["without a user", "Hi", [{ offset: 0, length: 2 }], "params.mentions[0].userId"],
    ["of a name", "Hi", [{ ...whole, userId: "ann" }], "params.mentions[0].userId"],
    ["that are no list", "Hi", whole, "params.mentions"],
    ["that are null", "Hi", null, "params.mentions"],
  ])("%s", async (_what, content, mentions, field) => {
    const { ann, groupId } = await group();
    const { messageId } = await sendToGroup(ann.device, groupId, "before");
    for (const [type, params] of [
      ["messageInGroup", { groupId }],
      ["privateMessage", { receiverId: ann.id }],
      ["editMessage", { messageId }],
    ] as const) {
      const answer = await errorOf(ann.device, type, { ...params, content, mentions });
      expect(answer).toMatchObject({ code: "VALIDATION", field });
    }
    expect(await chatHistory(ann.device, groupId)).toHaveLength(4);
    expect((await chatHistory(ann.device, groupId)).at(-1)).toMatchObject({ message: "before", editedAt: null });
  });

  test("of everybody with any value but true, and in a dialog, by a send and by an edit", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    for (const mentionsAll of [true, false, 1, null]) {
      for (const [type, params] of [
        ["privateMessage", { receiverId: bob.id }],
        ["editMessage", { messageId }],
      ] as const) {
        const answer = await errorOf(ann.device, type, { ...params, content: "all", mentionsAll });
        expect(answer).toMatchObject({ code: "VALIDATION", field: "params.mentionsAll" });
      }
    }
    // Strangers do not learn that it is a dialog.
    const [clara] = await participants(messenger(), 1);
    const known = await errorOf(clara.device, "editMessage", { messageId, content: "x", mentionsAll: true });
    const unknown = await errorOf(clara.device, "editMessage", {
      messageId: unknownId,
      content: "x",
      mentionsAll: true,
    });
    expect(known).toEqual(unknown);
  });
});

describe("a message with mentions", () => {
  test("carries them in the answer, in pushes and wherever it is read, by offset and without other keys", async () => {
    const { ann, bob, clara, groupId } = await group();
    const [first, second] = mentioning(bob.id, clara.id);
    const item = await send(ann, groupId, { mentions: [{ ...second, more: "x" }, first] });
    expect(item.mentions).toEqual([first, second]);
    expect(item).not.toHaveProperty("mentionsAll");
    expect(await bob.otherDevice.nextPush("messageInGroup")).toMatchObject({ params: { item } });
    expect((await chatHistory(clara.device, groupId)).at(-1)).toEqual(item);
    expect((await groupHistory(clara.device, groupId))[0]).toMatchObject({ mentions: item.mentions });
    const synced = (await bob.device.request("sync", { chats: [[groupId, 0, 0]] })).params.item;
    expect(synced.chats.flatMap(({ messages }) => messages).at(-1)).toEqual(item);
    expect((await listMentions(bob)).data).toEqual([item]);
    const [, row] = await Promise.all([ann.device.settle(), findChat(bob.device, groupId)]);
    expect(row).toMatchObject({ mentions: 1 });
  });

  test("drops those of people who are not members, whether or not they exist", async () => {
    const { ann, bob, dora, groupId } = await group();
    const [toBob, toDora, toUnknown] = mentioning(bob.id, dora.id, unknownId);
    expect(await send(ann, groupId, { mentions: [toBob, toDora, toUnknown] })).toMatchObject({ mentions: [toBob] });
    const none = await send(ann, groupId, { mentions: [toDora, toUnknown] });
    expect(none).not.toHaveProperty("mentions");
    expect((await chatHistory(ann.device, groupId)).at(-1)).toEqual(none);
    expect(await edit(ann, none.messageId, { mentions: [toDora, toBob] })).toMatchObject({ mentions: [toBob] });
    expect((await listMentions(dora)).data).toEqual([]);
    await ann.device.request("addUserInGroup", { groupId, userId: dora.id });
    expect((await listMentions(dora)).data).toEqual([]);
  });

  test("is stored in a batch with others, each with its own", async () => {
    const { ann, bob, clara, groupId } = await group();
    const other = await createGroup(ann.device, [bob]);
    const sends = numbers(1, 20).map((n) => {
      const mentions = n % 3 === 0 ? mentioning(bob.id) : n % 3 === 1 ? mentioning(clara.id, bob.id) : [];
      return { groupId: n % 2 === 0 ? groupId : other, mentions, ...(n % 5 === 0 && { mentionsAll: true }) };
    });
    const answers = await Promise.all(sends.map(({ groupId: id, ...more }) => send(ann, id, more)));
    for (const [index, item] of answers.entries()) {
      const { groupId: id, mentions, mentionsAll } = sends[index] ?? { mentions: [] };
      const kept = mentions.filter(({ userId }) => id === groupId || userId !== clara.id);
      expect(item.mentions ?? []).toEqual(kept);
      expect(item.mentionsAll).toBe(mentionsAll);
    }
    for (const id of [groupId, other]) {
      const stored = (await chatHistory(bob.device, id)).slice(-10);
      expect(stored).toEqual(answers.filter(({ chatId }) => chatId === id).sort((a, b) => a.seq - b.seq));
    }
  });

  test("and files is stored with both, also in a batch with messages that have only one or none of them", async () => {
    const { ann, bob, clara, groupId } = await group();
    const mentions = mentioning(bob.id, clara.id);
    const fileIds: string[] = [];
    for (const _ of numbers(0, 7)) fileIds.push(await upload(messenger(), ann));
    const sends = numbers(0, 7).map((n) => ({
      clientMessageId: `with-files-${n}`,
      ...(n % 2 === 1 && { fileIds: fileIds.slice(n - 1, n + 1) }),
      ...(n % 4 > 1 && { mentions }),
      ...(n > 3 && { mentionsAll: true }),
    }));
    const answers = await Promise.all(sends.map((more) => send(ann, groupId, more)));
    for (const [index, item] of answers.entries()) {
      const sent = sends[index];
      expect(item.files?.map(({ id }) => id)).toEqual(sent?.fileIds);
      expect(item.mentions).toEqual(sent?.mentions);
      expect(item.mentionsAll).toBe(sent?.mentionsAll);
    }
    expect((await chatHistory(bob.device, groupId)).slice(-8)).toEqual(answers);
    expect(await unreadMentions(bob.device, groupId)).toBe(6);
    const [both, more] = [answers[7], sends[7]];
    expect(await send(ann, groupId, more)).toEqual({ ...both, duplicate: true });
    for (const missing of [{ mentions: undefined }, { fileIds: undefined }]) {
      const again = { groupId, content: text, ...more, ...missing };
      expect(await errorOf(ann.device, "messageInGroup", again)).toMatchObject({ code: "CONFLICT" });
    }
  });

  test("is refused with files that cannot be used, and without the right to mention everybody takes no files", async () => {
    const { ann, bob, groupId } = await group();
    await fill(ann, groupId, { from: 3, to: 21 });
    const fileIds = [await upload(messenger(), bob)];
    const params = { groupId, content: text, fileIds, mentions: mentioning(bob.id) };
    expect(await errorOf(ann.device, "messageInGroup", params)).toMatchObject({ code: "CONFLICT" });
    const toAll = await errorOf(bob.device, "messageInGroup", { ...params, mentionsAll: true });
    expect(toAll).toMatchObject({ code: "FORBIDDEN" });
    expect(await send(bob, groupId, params)).toMatchObject({ files: [{ id: fileIds[0] }] });
  });

  test("in a dialog mentions the two people", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const mentions = mentioning(bob.id, ann.id);
    const { item } = (await ann.device.request("privateMessage", { receiverId: bob.id, content: text, mentions }))
      .params;
    expect(item.mentions).toEqual(mentions);
    expect(await unreadMentions(bob.device, item.chatId)).toBe(1);
    expect((await listMentions(ann)).data).toEqual([]);
  });

  test("can be repeated: the same is answered with what was stored, other mentions are a conflict", async () => {
    const { ann, bob, clara, dora, groupId } = await group();
    const mentions = mentioning(bob.id, dora.id);
    const clientMessageId = "mentions-of-bob";
    const item = await send(ann, groupId, { mentions, clientMessageId });
    expect(await send(ann, groupId, { mentions, clientMessageId })).toEqual({ ...item, duplicate: true });
    for (const other of [{}, { mentions: mentioning(clara.id) }, { mentions, mentionsAll: true }]) {
      const answer = await errorOf(ann.device, "messageInGroup", { groupId, content: text, clientMessageId, ...other });
      expect(answer).toMatchObject({ code: "CONFLICT" });
    }
    // After a change, only the text is compared.
    const edited = await edit(ann, item.messageId, { content: "bye" });
    expect(await send(ann, groupId, { mentions, clientMessageId })).toEqual({ ...edited, duplicate: true });
  });

  test("that is repeated by a sender who has left is answered as it was sent", async () => {
    const { ann, bob, groupId } = await group();
    const request = { mentions: mentioning(ann.id), clientMessageId: "before-leaving" };
    const item = await send(bob, groupId, request);
    await bob.device.request("leaveGroup", { groupId });
    await ann.device.request("deleteMessage", { messageId: item.messageId });
    const { groupName: _, ...asSent } = item;
    expect(await send(bob, groupId, request)).toEqual({ ...asSent, duplicate: true });
  });
});

describe("an edit", () => {
  test("replaces the mentions, and without any removes them", async () => {
    const { ann, bob, clara, groupId } = await group();
    const { messageId, version } = await send(ann, groupId, { mentions: mentioning(bob.id), mentionsAll: true });
    const replaced = await edit(ann, messageId, { mentions: mentioning(clara.id) });
    expect(replaced).toMatchObject({ version: version + 1, mentions: mentioning(clara.id), change: { kind: "edit" } });
    expect(replaced).not.toHaveProperty("mentionsAll");
    expect(await clara.device.nextPush("editMessage")).toMatchObject({ params: { item: replaced } });
    expect(await unreadMentions(bob.device, groupId)).toBe(0);
    expect(await unreadMentions(clara.device, groupId)).toBe(1);
    const removed = await edit(ann, messageId);
    expect(removed).not.toHaveProperty("mentions");
    expect((await chatHistory(bob.device, groupId)).at(-1)).toEqual(removed);
    expect(await unreadMentions(clara.device, groupId)).toBe(0);
    expect((await listMentions(clara)).data).toEqual([]);
  });

  test("that says what is so already stores nothing, even if a mentioned person has left since", async () => {
    const { ann, bob, clara, dora, groupId } = await group();
    const mentions = mentioning(bob.id, dora.id, clara.id);
    const item = await send(ann, groupId, { mentions, mentionsAll: true });
    expect(await edit(ann, item.messageId, { mentions, mentionsAll: true })).toEqual(item);
    await clara.device.request("leaveGroup", { groupId });
    expect(await edit(ann, item.messageId, { mentions, mentionsAll: true })).toEqual(item);
    expect(await pushesOfType(bob.device, "editMessage")).toEqual([]);
    expect(await edit(ann, item.messageId, { mentions })).toMatchObject({ version: item.version + 2 });
  });

  test("of others is refused with mentions too", async () => {
    const { ann, bob, groupId } = await group();
    const { messageId } = await send(ann, groupId);
    const params = { messageId, content: text, mentions: mentioning(bob.id), mentionsAll: true };
    expect(await errorOf(bob.device, "editMessage", params)).toMatchObject({ code: "FORBIDDEN" });
  });
});

describe("everybody", () => {
  test("can be mentioned by all in a group of 20, and in a larger one by admins and the owner, also with an edit", async () => {
    const { ann, bob, clara, groupId } = await group();
    const early = await send(bob, groupId, { mentionsAll: true });
    expect(early).toMatchObject({ mentionsAll: true });
    await fill(ann, groupId, { from: 3, to: 20 });
    expect(await send(bob, groupId, { mentionsAll: true })).toMatchObject({ mentionsAll: true });
    await fill(ann, groupId, { from: 20, to: 21 });

    const { messageId } = await send(bob, groupId);
    const before = await chatHistory(ann.device, groupId);
    const clientMessageId = "everybody-of-bob";
    const refused = [
      errorOf(bob.device, "messageInGroup", { groupId, content: text, mentionsAll: true, clientMessageId }),
      errorOf(bob.device, "editMessage", { messageId, content: text, mentionsAll: true }),
      errorOf(bob.device, "editMessage", { messageId: early.messageId, content: "other", mentionsAll: true }),
    ];
    for (const answer of await Promise.all(refused)) expect(answer).toMatchObject({ code: "FORBIDDEN" });
    expect(await chatHistory(ann.device, groupId)).toEqual(before);

    await ann.device.request("setMemberRole", { groupId, userId: bob.id, role: "admin" });
    const late = await send(bob, groupId, { mentionsAll: true, clientMessageId });
    expect(late).toMatchObject({ mentionsAll: true });
    expect(await edit(bob, messageId, { mentionsAll: true })).toMatchObject({ mentionsAll: true });
    expect(await send(ann, groupId, { mentionsAll: true })).toMatchObject({ mentionsAll: true });
    // A repeat is answered, whoever may send it now.
    await ann.device.request("setMemberRole", { groupId, userId: bob.id, role: "member" });
    expect(await send(bob, groupId, { mentionsAll: true, clientMessageId })).toEqual({ ...late, duplicate: true });
    expect(await unreadMentions(clara.device, groupId)).toBe(5);
  });

  test("is refused beside other messages of the same batch, which are stored", async () => {
    const { ann, bob, clara, groupId } = await group();
    await fill(ann, groupId, { from: 3, to: 21 });
    const outcomes = await Promise.all(
      numbers(1, 12).map(async (n) => {
        const { device } = n % 2 === 0 ? bob : clara;
        const params = { groupId, content: `${n}`, ...(n % 3 === 0 && { mentionsAll: true }) };
        const answer = await device.exchange({ type: "messageInGroup", params });
        return answer.error ? answer.code : "ok";
      }),
    );
    expect(outcomes).toEqual(numbers(1, 12).map((n) => (n % 3 === 0 ? "FORBIDDEN" : "ok")));
    const stored = (await chatHistory(ann.device, groupId)).filter(({ notification }) => !notification);
    expect(stored.map(({ message }) => Number(message)).sort((a, b) => a - b)).toEqual([1, 2, 4, 5, 7, 8, 10, 11]);
  });

  test("cannot be mentioned by outsiders, who get the error for unknown groups", async () => {
    const { ann, dora, groupId } = await group();
    await fill(ann, groupId, { from: 3, to: 21 });
    const params = { content: text, mentionsAll: true, mentions: mentioning(ann.id) };
    const unknown = await errorOf(dora.device, "messageInGroup", { ...params, groupId: unknownId });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await errorOf(dora.device, "messageInGroup", { ...params, groupId })).toEqual(unknown);
  });

  test("is not mentioned by an admin who has become a member at the same moment", async () => {
    const { ann, bob, groupId } = await group();
    await fill(ann, groupId, { from: 3, to: 21 });
    for (const n of numbers(1, 5)) {
      await ann.device.request("setMemberRole", { groupId, userId: bob.id, role: "admin" });
      const [demotion, sent] = await Promise.all([
        ann.device.request("setMemberRole", { groupId, userId: bob.id, role: "member" }),
        bob.device.exchange({ type: "messageInGroup", params: { groupId, content: `${n}`, mentionsAll: true } }),
      ]);
      if (sent.error) expect(sent.code).toBe("FORBIDDEN");
      else expect(sent.params.item.version).toBeLessThan(demotion.params.item.version);
    }
  });
});

describe("unread mentions", () => {
  test("are those after the read position, of others and not deleted, each message once", async () => {
    const { ann, bob, clara, groupId } = await group();
    const first = await send(ann, groupId, { mentions: mentioning(bob.id, bob.id) });
    const second = await send(clara, groupId, { mentions: mentioning(bob.id), mentionsAll: true });
    await send(ann, groupId, { mentions: mentioning(clara.id) });
    const last = await send(ann, groupId, { mentionsAll: true });
    expect(await unreadMentions(bob.device, groupId)).toBe(3);
    expect(await unreadMentions(ann.device, groupId)).toBe(0);
    await ann.device.request("deleteMessage", { messageId: last.messageId });
    expect(await unreadMentions(bob.device, groupId)).toBe(2);
    await bob.device.request("markRead", { chatId: groupId, seq: first.seq });
    expect(await unreadMentions(bob.device, groupId)).toBe(1);
    await bob.device.request("markRead", { chatId: groupId, seq: second.seq });
    expect(await unreadMentions(bob.device, groupId)).toBe(0);
    // An edit of an earlier message mentions again, but it has been read.
    await edit(ann, first.messageId, { content: `${text}!`, mentions: mentioning(bob.id) });
    expect(await unreadMentions(bob.device, groupId)).toBe(0);
    expect((await listMentions(bob)).data.map(({ seq }) => seq)).toEqual([second.seq, first.seq]);
  });

  test("are counted up to 99", async () => {
    const { ann, bob, groupId } = await group();
    for (const more of [{ mentions: mentioning(bob.id) }, { mentionsAll: true }]) {
      await Promise.all(numbers(1, 60).map(() => send(ann, groupId, more)));
    }
    expect(await unreadMentions(bob.device, groupId)).toBe(99);
  });

  test("are removed with the message for good", async () => {
    const { ann, bob, groupId } = await group();
    const { messageId } = await send(ann, groupId, { mentions: mentioning(bob.id), mentionsAll: true });
    const { item } = (await ann.device.request("deleteMessage", { messageId })).params;
    expect(item).not.toHaveProperty("mentions");
    expect(item).not.toHaveProperty("mentionsAll");
    expect((await chatHistory(bob.device, groupId)).at(-1)).toEqual(item);
    const rows = await messenger().sql("SELECT * FROM message_mentions WHERE message_id = $messageId", { messageId });
    expect(rows).toEqual([]);
    expect((await listMentions(bob)).data).toEqual([]);
  });

  test("are removed when a process of the previous version replaces the text", async () => {
    const { ann, bob, groupId } = await group();
    const { messageId } = await send(ann, groupId, { mentions: mentioning(bob.id), mentionsAll: true });
    await messenger().sql("UPDATE messages SET content = 'new' WHERE id = $messageId RETURNING id", { messageId });
    expect(await unreadMentions(bob.device, groupId)).toBe(0);
    expect((await chatHistory(bob.device, groupId)).at(-1)).not.toHaveProperty("mentions");
  });
});

describe("listMentions", () => {
  test("returns them page by page from all chats, the newest first, with one's own reactions marked", async () => {
    const { ann, bob, groupId } = await group();
    const other = await createGroup(ann.device, [bob]);
    const sent: MessageItem[] = [];
    for (const n of numbers(1, 7)) {
      const more = n % 3 === 0 ? { mentionsAll: true } : { mentions: mentioning(bob.id) };
      sent.push(await send(ann, n % 2 === 0 ? groupId : other, more));
      await send(ann, groupId);
    }
    const reacted = sent.at(-1)?.messageId ?? 0;
    await bob.device.request("react", { messageId: reacted, emoji: "👍", on: true });
    const found: MessageItem[] = [];
    let before: number | undefined;
    do {
      const { data, cursor } = await listMentions(bob, { limit: 2, ...(before !== undefined && { before }) });
      found.push(...data);
      before = cursor ?? undefined;
    } while (before !== undefined);
    expect(found.map(({ messageId }) => messageId)).toEqual(sent.map(({ messageId }) => messageId).reverse());
    expect(found[0]?.reactions).toEqual([{ emoji: "👍", count: 1, userIds: [bob.id], mine: true }]);
    expect((await listMentions(bob, { limit: 7 })).cursor).toBeNull();
  });

  test("hides chats that one has left, until one joins again, and what one has cleared", async () => {
    const { ann, bob, groupId } = await group();
    const inGroup = await send(ann, groupId, { mentions: mentioning(bob.id) });
    const toAll = await send(ann, groupId, { mentionsAll: true });
    const mentions = mentioning(bob.id);
    const privately = await ann.device.request("privateMessage", { receiverId: bob.id, content: text, mentions });
    const ids = async () => (await listMentions(bob)).data.map(({ messageId }) => messageId);
    const newest = privately.params.item.messageId;
    expect(await ids()).toEqual([newest, toAll.messageId, inGroup.messageId]);
    await bob.device.request("leaveGroup", { groupId });
    expect(await ids()).toEqual([newest]);
    await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(await ids()).toEqual([]);
    await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
    expect(await ids()).toEqual([toAll.messageId, inGroup.messageId]);
    expect(await unreadMentions(bob.device, groupId)).toBe(0);
  });
});
