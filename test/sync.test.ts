import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  block,
  createGroup,
  numbers,
  participant,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";
import { chatIn, type KnownChat, knownOf, syncWith, textsOf, versionsOf } from "./support/sync.ts";

/* The answer to a sync request: what it has for a device that knows nothing, something or everything. */

const messenger = useMessenger();

describe("sync", () => {
  test("a device that knows nothing gets all chats of its user with all messages, and no others", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const carl = await messenger().person("Carl");
    const groupId = await createGroup(ann.device, [bob]);
    await sendToGroup(ann.device, groupId, "to the group");
    const { chatId } = await sendPrivately(bob.device, ann.id, "to you");
    await createGroup(bob.device);
    await sendPrivately(bob.device, carl.id, "to somebody else");

    const answer = await syncWith(ann.device);
    expect(answer).toMatchObject({ left: [], hasMore: false });
    expect(answer.chats.map((chat) => chat.chatId)).toEqual([groupId, chatId]);
    expect(chatIn(answer, groupId)).toMatchObject({
      kind: "group",
      groupId,
      groupName: "a group",
      joined: true,
      version: 3,
      lastSeq: 3,
      readSeq: 3,
      clearedSeq: 0,
    });
    expect(versionsOf(chatIn(answer, groupId))).toEqual([1, 2, 3]);
    expect(chatIn(answer, groupId).messages[1]).toMatchObject({ event: { kind: "memberAdded", userId: bob.id } });
    expect(chatIn(answer, chatId)).toMatchObject({
      kind: "dialog",
      userId: bob.id,
      joined: true,
      version: 1,
      lastSeq: 1,
      readSeq: 0,
      peerReadSeq: 1,
    });
    expect(textsOf(chatIn(answer, chatId))).toEqual(["to you"]);
  });

  test("a device that knows everything gets an empty answer", async () => {
    const { ann, bob } = await annAndBob(messenger());
    await createGroup(ann.device, [bob]);
    await sendPrivately(bob.device, ann.id, "Hi");
    const known = (await syncWith(ann.device)).chats.map(knownOf);
    expect(await syncWith(ann.device, known)).toMatchObject({ chats: [], left: [], hasMore: false });
  });

  test("a user without chats gets an empty answer", async () => {
    const { device } = await participant(messenger());
    expect(await syncWith(device)).toMatchObject({ chats: [], left: [], hasMore: false });
  });

  test("after an absence the answer has exactly the new, edited and deleted messages, in the order of the changes", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const [first, second] = [
      await sendToGroup(ann.device, groupId, "one"),
      await sendToGroup(ann.device, groupId, "two"),
    ];
    await sendToGroup(ann.device, groupId, "three");
    const before = await syncWith(bob.device);
    const known = before.chats.map(knownOf);
    await bob.device.close();

    await ann.device.request("editMessage", { messageId: second.messageId, content: "two, better" });
    await sendToGroup(ann.device, groupId, "four");
    await ann.device.request("deleteMessage", { messageId: first.messageId });

    const answer = await syncWith(await bob.connect(), known);
    const chat = chatIn(answer, groupId);
    expect(chat.joined).toBeUndefined();
    expect(chat.version).toBe(chatIn(before, groupId).version + 3);
    expect(chat.lastSeq).toBe(6);
    expect(versionsOf(chat)).toEqual([6, 7, 8]);
    expect(chat.messages).toMatchObject([
      { seq: second.seq, message: "two, better", editedAt: expect.any(String), deletedAt: null },
      { seq: 6, message: "four", editedAt: null, deletedAt: null },
      { seq: first.seq, message: "", deletedAt: expect.any(String) },
    ]);
  });

  test("a message changed twice during an absence comes once, in its current state", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const { messageId } = await sendToGroup(ann.device, groupId, "draft");
    const known = (await syncWith(bob.device)).chats.map(knownOf);
    for (const content of ["better", "best"]) await ann.device.request("editMessage", { messageId, content });
    const chat = chatIn(await syncWith(bob.device, known), groupId);
    expect(chat.messages).toMatchObject([{ version: 5, message: "best" }]);
    expect(chat.version).toBe(5);
  });

  test("chats joined and left during an absence are reported as joined and left", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const leftId = await createGroup(ann.device, [bob]);
    const endedId = await createGroup(ann.device, [bob]);
    const known = (await syncWith(bob.device)).chats.map(knownOf);
    await bob.device.close();

    await ann.device.request("removeUserFromGroup", { groupId: leftId, userId: bob.id });
    await ann.device.request("deleteGroup", { groupId: endedId });
    const joinedId = await createGroup(ann.device, [bob]);

    const answer = await syncWith(await bob.connect(), known);
    expect(answer.left).toEqual([leftId, endedId]);
    expect(answer.chats.map(({ chatId, joined }) => ({ chatId, joined }))).toEqual([
      { chatId: joinedId, joined: true },
    ]);
    expect(versionsOf(chatIn(answer, joinedId))).toEqual([1, 2]);
  });

  test("a user who was removed and added again gets the messages sent in between", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const known = (await syncWith(bob.device)).chats.map(knownOf);
    await ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
    await sendToGroup(ann.device, groupId, "while Bob is away");
    await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
    const answer = await syncWith(bob.device, known);
    expect(answer.left).toEqual([]);
    expect(versionsOf(chatIn(answer, groupId))).toEqual([3, 4, 5]);
  });

  test("a chat of other people and an unknown chat are both reported as left", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device);
    const answer = await syncWith(bob.device, [
      [groupId, 1, 0],
      [unknownId, 0, 0],
    ]);
    expect(answer).toMatchObject({ chats: [], left: [groupId, unknownId], hasMore: false });
  });

  test("each chat names the other person, or the user's role and the number of members, and counts what is unread", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const { chatId } = await sendPrivately(ann.device, bob.id, "Hi");
    const answer = await syncWith(bob.device);
    expect(chatIn(answer, groupId)).toMatchObject({ role: "member", memberCount: 2, unread: 0 });
    expect(chatIn(answer, chatId)).toMatchObject({ userName: "Ann", userLastName: null, unread: 1 });
    expect(chatIn(await syncWith(ann.device), groupId)).toMatchObject({ role: "owner", unread: 0 });
    expect(answer.userId).toBe(bob.id);
    expect(new Date(answer.serverTime).toISOString()).toBe(answer.serverTime);
  });

  test.each([0, 2, 50])("newest: %d bounds the messages of a chat that the device does not list", async (newest) => {
    const { ann, bob } = await annAndBob(messenger());
    const sent = numbers(1, 4).map(String);
    for (const content of sent) await sendPrivately(ann.device, bob.id, content);
    const { chats } = await syncWith(bob.device, [], { newest });
    expect(chats.map(textsOf)).toEqual([newest === 0 ? [] : sent.slice(-newest)]);
    expect(chats).toMatchObject([{ joined: true, version: 4, ...(newest < sent.length && { tooLong: true }) }]);
  });

  test("newest does not shorten what a device has missed of a chat that it lists", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId } = await sendPrivately(ann.device, bob.id, "0");
    for (const content of ["1", "2", "3"]) await sendPrivately(ann.device, bob.id, content);
    const answer = await syncWith(bob.device, [[chatId, 1, 0]], { newest: 1 });
    expect(textsOf(chatIn(answer, chatId))).toEqual(["1", "2", "3"]);
  });

  test("the deletion of a message that the user has cleared is part of the answer, for the replies to it", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId, messageId } = await sendPrivately(ann.device, bob.id, "secret");
    await bob.device.request("clearDialog", { receiverId: ann.id });
    await sendPrivately(ann.device, bob.id, "a reply", { replyTo: messageId });
    const known = (await syncWith(bob.device)).chats.map(knownOf);
    await ann.device.request("deleteMessage", { messageId });
    const { messages } = chatIn(await syncWith(bob.device, known), chatId);
    expect(messages).toMatchObject([{ messageId, message: "", change: { kind: "delete", by: ann.id } }]);
  });

  test("a device that lists the read position of somebody who blocks its user gets the chat without it", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId } = await sendPrivately(ann.device, bob.id, "Hi");
    await bob.device.request("markRead", { chatId, seq: 1 });
    const known = (await syncWith(ann.device)).chats.map(knownOf);
    expect((await block(messenger(), bob, ann)).status).toBe(204);
    expect(chatIn(await syncWith(ann.device, known), chatId)).not.toHaveProperty("peerReadSeq");
  });

  test("a range limits what is changed, joined and left", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const ids: number[] = [];
    for (let n = 0; n < 6; n++) ids.push(await createGroup(ann.device, [bob]));
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = ids;
    const all = (await syncWith(bob.device)).chats.map(knownOf);
    for (const groupId of [a, d]) await sendToGroup(ann.device, groupId, "text");
    for (const groupId of [b, e]) await ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
    // The last of each half counts as joined, for a device that does not mention it.
    const known = all.filter(([chatId]) => chatId !== c && chatId !== f);

    const low = await syncWith(bob.device, known, { range: [a, c] });
    expect(low.chats.map(({ chatId, joined }) => [chatId, joined ?? false])).toEqual([
      [a, false],
      [c, true],
    ]);
    expect(low.left).toEqual([b]);

    const high = await syncWith(bob.device, known, { range: [d, f] });
    expect(high.chats.map(({ chatId, joined }) => [chatId, joined ?? false])).toEqual([
      [d, false],
      [f, true],
    ]);
    expect(high.left).toEqual([e]);

    expect((await syncWith(bob.device, known, { range: [a, a] })).chats.map(({ chatId }) => chatId)).toEqual([a]);
  });
});

describe("invalid sync params", () => {
  const tuple = [1, 0, 0];
  test.each<[string, object]>([
    ["a chat named twice", { chats: [tuple, tuple] }],
    ["a thousand and one chats", { chats: numbers(1, 1001).map((chatId) => [chatId, 0, 0]) }],
    ["a negative version", { chats: [[1, -1, 0]] }],
    ["a chat without a number", { chats: [[0, 0, 0]] }],
    ["half a message read", { chats: [[1, 0, 0.5]] }],
    ["a number as text", { chats: [["1", 0, 0]] }],
    ["a read position that is null", { chats: [[1, 0, null]] }],
    ["a number beyond what JSON carries exactly", { chats: [[1, 2 ** 53, 0]] }],
    ["a chat of one number", { chats: [[1]] }],
    ["a chat of two numbers", { chats: [[1, 0]] }],
    ["a chat of six numbers", { chats: [[1, 0, 0, 0, 0, 0]] }],
    ["a chat that is no list", { chats: [1] }],
    ["no list of chats", {}],
    ["a range of one number", { chats: [], range: [1] }],
    ["a range of three numbers", { chats: [], range: [1, 2, 3] }],
    ["a range of texts", { chats: [], range: ["1", "2"] }],
  ])("%s is rejected", async (_what, params) => {
    const { device } = await participant(messenger());
    expect(await device.requestError("sync", params)).toMatchObject({ type: "sync", code: "VALIDATION" });
  });

  test("a thousand chats are accepted", async () => {
    const { device } = await participant(messenger());
    const chats = numbers(1_000_001, 1_001_000).map((chatId): KnownChat => [chatId, 1, 1, 0, 0]);
    expect((await syncWith(device, chats)).left).toHaveLength(1000);
  });
});
