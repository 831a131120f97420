import { describe, expect, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  block,
  chatHistory,
  createGroup,
  errorOf,
  type Participant,
  participants,
  pushesOfType,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Editing and deleting messages: who may, what changes, and who is notified. */

const messenger = useMessenger();

/** A group with a member of each role, and a stranger. */
async function groupOfAllRoles() {
  const [owner, admin, author, member, otherMember, stranger] = await participants(messenger(), 1, 1, 1, 1, 1, 1);
  const groupId = await createGroup(owner.device, [admin, author, member, otherMember]);
  await owner.device.request("setMemberRole", { groupId, userId: admin.id, role: "admin" });
  return { groupId, owner, admin, author, member, otherMember, stranger };
}

const edit = async ({ device }: Participant, messageId: number, content: string): Promise<MessageItem> =>
  (await device.request("editMessage", { messageId, content })).params.item;

const deleteMessage = async ({ device }: Participant, messageId: number): Promise<MessageItem> =>
  (await device.request("deleteMessage", { messageId })).params.item;

const noSuchMessage = { error: true, message: "There is no such message", code: "NOT_FOUND" };

describe("editing", () => {
  test("an edit keeps seq, takes the chat's next version and is pushed to every device but the requesting one", async () => {
    const { groupId, owner, author, member } = await groupOfAllRoles();
    const { messageId, seq, version } = await sendToGroup(author.device, groupId, "helo");
    const authorsOther = await author.connect();
    const item = await edit(author, messageId, "hello");
    expect(item).toMatchObject({
      ...{ messageId, seq, version: version + 1, message: "hello", deletedAt: null },
      change: { kind: "edit", by: author.id },
    });
    expect(item.editedAt).not.toBeNull();
    for (const device of [owner.device, member.device, authorsOther]) {
      const push = await device.nextPush("editMessage");
      expect(push).toMatchObject({
        type: "editMessage",
        params: { message: "hello", senderName: author.firstName, item },
      });
    }
    expect(await pushesOfType(author.device, "editMessage")).toEqual([]);
    expect((await chatHistory(member.device, groupId)).at(-1)).toEqual(item);
  });

  test("an edit to the text that the message has stores nothing and is not pushed", async () => {
    const { groupId, owner, author } = await groupOfAllRoles();
    const { messageId } = await sendToGroup(author.device, groupId, "helo");
    const item = await edit(author, messageId, "hello");
    expect(await edit(author, messageId, "hello")).toEqual(item);
    expect(await pushesOfType(owner.device, "editMessage")).toHaveLength(1);
  });

  test.each(["editMessage", "deleteMessage"])("%s with the version of an earlier text is a conflict", async (type) => {
    const { groupId, author } = await groupOfAllRoles();
    const { messageId, version } = await sendToGroup(author.device, groupId, "one");
    const item = await edit(author, messageId, "two");
    const params = { messageId, ...(type === "editMessage" && { content: "three" }) };
    expect(await author.device.requestError(type, { ...params, ifVersion: version })).toMatchObject({
      code: "CONFLICT",
    });
    expect((await chatHistory(author.device, groupId)).at(-1)).toEqual(item);
    expect(await author.device.exchange({ type, params: { ...params, ifVersion: item.version } })).toMatchObject({
      params: { item: { version: item.version + 1 } },
    });
  });

  test("the answer to an edit has its place in the order of the chat's changes", async () => {
    const { groupId, author, owner } = await groupOfAllRoles();
    const { messageId, version } = await sendToGroup(author.device, groupId, "one");
    const from = author.device.frames.length;
    await Promise.all([
      ...[1, 2, 3, 4, 5].map((n) => sendToGroup(owner.device, groupId, `before ${n}`)),
      ...[1, 2, 3].map((n) => edit(author, messageId, `edit ${n}`)),
      ...[1, 2, 3, 4, 5].map((n) => sendToGroup(owner.device, groupId, `after ${n}`)),
    ]);
    await author.device.settle();
    const versions = author.device.frames.slice(from).flatMap(({ params }) => params.item?.version ?? []);
    expect(versions).toEqual(Array.from({ length: 13 }, (_, n) => version + 1 + n));
  });

  test("only the sender may edit a message, whatever the roles of others", async () => {
    const { groupId, owner, admin, author, member } = await groupOfAllRoles();
    const { messageId } = await sendToGroup(author.device, groupId, "mine");
    for (const { device } of [owner, admin, member]) {
      const answer = await device.requestError("editMessage", { messageId, content: "yours" });
      expect(answer).toMatchObject({ code: "FORBIDDEN" });
    }
    expect((await chatHistory(author.device, groupId)).at(-1)).toMatchObject({ message: "mine", editedAt: null });
  });

  test("the peer of a dialog may neither edit nor delete the sender's messages", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "mine");
    const edited = await bob.device.requestError("editMessage", { messageId, content: "yours" });
    expect(edited).toMatchObject({ code: "FORBIDDEN" });
    expect(await bob.device.requestError("deleteMessage", { messageId })).toMatchObject({ code: "FORBIDDEN" });
  });

  test("a deleted message cannot be edited", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "gone");
    await deleteMessage(ann, messageId);
    const answer = await ann.device.requestError("editMessage", { messageId, content: "back" });
    expect(answer).toMatchObject({ code: "CONFLICT" });
  });

  test("an edited message is shown with its new text everywhere", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "helo");
    const { editedAt } = await edit(ann, messageId, "hello");
    const list = await bob.device.request("listLastMessage", { limit: 1, page: 1 });
    expect(list.params.data).toMatchObject([{ content: "hello", seq: 1, version: 2, chatVersion: 2, unread: 1 }]);
    const rows = await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 5, page: 1 });
    expect(rows.params.data).toMatchObject([{ content: "hello", version: 2, editedAt, deletedAt: null }]);
  });

  test.each([
    ["an empty text", ""],
    ["a blank text", "   "],
    ["a text of 4,097 units", "x".repeat(4097)],
    ["a text with U+0000", "\u0000"],
    ["a text with half a character", "\ud800"],
  ])("%s is rejected as a new text", async (_what, content) => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    expect(await ann.device.requestError("editMessage", { messageId, content })).toMatchObject({ code: "VALIDATION" });
  });
});

describe("deleting", () => {
  test.each(["author", "admin", "owner"] as const)("the %s may delete a message of the group", async (role) => {
    const group = await groupOfAllRoles();
    const { groupId, author, member } = group;
    const { messageId, seq, version } = await sendToGroup(author.device, groupId, "unkind words");
    const item = await deleteMessage(group[role], messageId);
    expect(item).toMatchObject({ messageId, seq, version: version + 1, message: "", senderId: author.id });
    expect(item.deletedAt).not.toBeNull();
    expect(await member.device.nextPush("deleteMessage")).toMatchObject({ params: { message: "", item } });
  });

  test("a member may not delete the message of another", async () => {
    const { groupId, owner, member, author } = await groupOfAllRoles();
    const { messageId } = await sendToGroup(owner.device, groupId, "stays");
    for (const { device } of [member, author]) {
      expect(await device.requestError("deleteMessage", { messageId })).toMatchObject({ code: "FORBIDDEN" });
    }
  });

  test("an admin may delete the owner's message, a former admin may not", async () => {
    const { groupId, owner, admin } = await groupOfAllRoles();
    const first = await sendToGroup(owner.device, groupId, "one");
    const second = await sendToGroup(owner.device, groupId, "two");
    expect(await deleteMessage(admin, first.messageId)).toMatchObject({ message: "" });
    await owner.device.request("setMemberRole", { groupId, userId: admin.id, role: "member" });
    const answer = await admin.device.requestError("deleteMessage", { messageId: second.messageId });
    expect(answer).toMatchObject({ code: "FORBIDDEN" });
  });

  test("the text of a deleted message is in no row of the table", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId, chatId } = await sendPrivately(ann.device, bob.id, "a secret");
    await edit(ann, messageId, "a better secret");
    await deleteMessage(ann, messageId);
    const rows = await messenger().sql("SELECT * FROM messages WHERE chat_id = $chatId", { chatId });
    expect(rows).toMatchObject([{ content: "", seq: 1, version: 3 }]);
    expect(JSON.stringify(rows)).not.toContain("secret");
  });

  test("a deleted message stays in every list with an empty text, also as the last message of its chat", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId, chatId } = await sendPrivately(ann.device, bob.id, "gone");
    const { deletedAt } = await deleteMessage(ann, messageId);
    const deleted = { seq: 1, version: 2, deletedAt };
    const list = await bob.device.request("listLastMessage", { limit: 1, page: 1 });
    expect(list.params.data).toMatchObject([{ ...deleted, content: "" }]);
    const page = { receiverId: ann.id, limit: 5, page: 1 };
    const rows = await bob.device.request("getlatestMessageDialog", page);
    expect(rows.params.data).toMatchObject([{ ...deleted, content: "" }]);
    expect(await chatHistory(bob.device, chatId)).toMatchObject([{ ...deleted, message: "" }]);
  });

  test("deleting twice gets the same answer and changes nothing", async () => {
    const { groupId, owner, author, member } = await groupOfAllRoles();
    const { messageId } = await sendToGroup(author.device, groupId, "gone");
    const first = await deleteMessage(author, messageId);
    expect(await deleteMessage(author, messageId)).toEqual(first);
    expect(await deleteMessage(owner, messageId)).toEqual(first);
    const next = await sendToGroup(author.device, groupId, "next");
    expect(next.version).toBe(first.version + 1);
    expect(await pushesOfType(member.device, "deleteMessage")).toHaveLength(1);
  });

  test("two concurrent deletions of one message both succeed and are one change", async () => {
    const { groupId, owner, author } = await groupOfAllRoles();
    const { messageId, version } = await sendToGroup(author.device, groupId, "gone");
    const items = await Promise.all([deleteMessage(author, messageId), deleteMessage(owner, messageId)]);
    expect(items.map((item) => item.version)).toEqual([version + 1, version + 1]);
  });

  test("a system message can be neither edited nor deleted, not even by the owner", async () => {
    const { groupId, owner, admin } = await groupOfAllRoles();
    const [notification] = await chatHistory(owner.device, groupId);
    const messageId = notification?.messageId ?? 0;
    for (const { device } of [owner, admin]) {
      const edited = await device.requestError("editMessage", { messageId, content: "x" });
      expect(edited).toMatchObject({ code: "FORBIDDEN" });
      expect(await device.requestError("deleteMessage", { messageId })).toMatchObject({ code: "FORBIDDEN" });
    }
  });
});

describe("a message that the caller may not see", () => {
  test("is rejected for strangers and ex-members with the error for an unknown message", async () => {
    const { groupId, owner, author, otherMember: exMember, stranger } = await groupOfAllRoles();
    const { messageId } = await sendToGroup(author.device, groupId, "ours");
    const own = await sendToGroup(exMember.device, groupId, "mine");
    await owner.device.request("removeUserFromGroup", { groupId, userId: exMember.id });
    for (const [type, more] of [
      ["editMessage", { content: "mine" }],
      ["deleteMessage", {}],
    ] as const) {
      const unknown = await errorOf(stranger.device, type, { messageId: unknownId, ...more });
      expect(unknown).toEqual({ ...noSuchMessage, type });
      expect(await errorOf(stranger.device, type, { messageId, ...more })).toEqual(unknown);
      expect(await errorOf(exMember.device, type, { messageId, ...more })).toEqual(unknown);
      expect(await errorOf(exMember.device, type, { messageId: own.messageId, ...more })).toEqual(unknown);
    }
  });

  test("is rejected the same way in an ended group, also for its sender", async () => {
    const { groupId, owner, author } = await groupOfAllRoles();
    const { messageId } = await sendToGroup(author.device, groupId, "ours");
    await owner.device.request("deleteGroup", { groupId });
    const answer = await errorOf(author.device, "deleteMessage", { messageId });
    expect(answer).toEqual({ ...noSuchMessage, type: "deleteMessage" });
  });
});

describe("messages of a dialog in which one user blocks the other", () => {
  test("can be deleted, but no longer edited, by the blocked user", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId, chatId } = await sendPrivately(ann.device, bob.id, "Hi");
    expect((await block(messenger(), bob, ann)).status).toBe(204);

    const answer = await errorOf(ann.device, "editMessage", { messageId, content: "you fool" });
    expect(answer).toEqual({ error: true, type: "editMessage", message: "There is no such user", code: "NOT_FOUND" });
    expect(await chatHistory(bob.device, chatId)).toMatchObject([{ message: "Hi", editedAt: null }]);

    expect(await deleteMessage(ann, messageId)).toMatchObject({ message: "" });
    expect(await bob.device.nextPush("deleteMessage")).toMatchObject({ params: { item: { messageId } } });
  });

  test("can still be edited by the blocking user", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(bob.device, ann.id, "Hi");
    await block(messenger(), bob, ann);
    expect(await edit(bob, messageId, "Hello")).toMatchObject({ message: "Hello" });
  });
});
