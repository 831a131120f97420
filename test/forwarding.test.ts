import { describe, expect, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import { groupOfSix } from "./support/group-scene.ts";
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
  numbers,
  type Participant,
  participants,
  pushesDuring,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Forwarded messages: what is copied, who may forward what to whom, and repeated requests. */

const messenger = useMessenger();

interface Forward {
  messageId: number;
  receiverId?: number;
  groupId?: number;
  clientMessageId?: string;
}

const forward = async ({ device }: Participant, params: Forward): Promise<MessageItem> =>
  (await device.request("forwardMessage", params)).params.item;

/** A message of Ann to Bob, and a group of Bob and Cid. */
async function messageAndGroup() {
  const [ann, bob, cid] = await participants(messenger(), 1, 2, 1);
  const { messageId, chatId } = await sendPrivately(ann.device, bob.id, "Hi");
  const groupId = await createGroup(bob.device, [cid], "others");
  return { ann, bob, cid, messageId, chatId, groupId };
}

describe("a forwarded message", () => {
  test("is an ordinary message of the person who forwards it, and names the first author", async () => {
    const { ann, bob, cid, messageId, groupId } = await messageAndGroup();
    const item = await forward(bob, { messageId, groupId });
    expect(item).toMatchObject({
      ...{ chatId: groupId, groupId, groupName: "others", seq: 3, version: 3, senderId: bob.id, message: "Hi" },
      ...{ notification: false, editedAt: null, deletedAt: null },
      forwarded: { senderId: ann.id, senderName: ann.firstName },
    });
    for (const device of [cid.device, bob.otherDevice]) {
      expect(await device.nextPush("messageInGroup")).toMatchObject({
        params: { message: "Hi", senderName: bob.firstName, item },
      });
    }
    const [row] = await groupHistory(cid.device, groupId);
    expect(row).toMatchObject({ sender_id: bob.id, content: "Hi", forwarded: item.forwarded });
    expect((await chatHistory(cid.device, groupId)).at(-1)).toEqual(item);
    const { chats } = (await cid.device.request("sync", { chats: [[groupId, 2, 2]] })).params.item;
    expect(chats[0]).toMatchObject({ messages: [item], lastSeq: 3 });
  });

  test("to a person creates the dialog, and is pushed as privateMessage", async () => {
    const { ann, bob, cid, messageId } = await messageAndGroup();
    const item = await forward(bob, { messageId, receiverId: cid.id });
    expect(item).toMatchObject({ receiverId: cid.id, seq: 1, forwarded: { senderId: ann.id } });
    expect(await cid.device.nextPush("privateMessage")).toMatchObject({ params: { item } });
    const { params } = await cid.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 5, page: 1 });
    expect(params.data).toMatchObject([{ content: "Hi", forwarded: { senderId: ann.id } }]);
  });

  test("can be sent to oneself and to the chat it is in", async () => {
    const { bob, messageId, chatId, ann } = await messageAndGroup();
    expect(await forward(bob, { messageId, receiverId: bob.id })).toMatchObject({ receiverId: bob.id, seq: 1 });
    expect(await forward(bob, { messageId, receiverId: ann.id })).toMatchObject({ chatId, seq: 2 });
  });

  test("keeps its first author when it is forwarded again", async () => {
    const { ann, bob, cid, messageId, groupId } = await messageAndGroup();
    const first = await forward(bob, { messageId, groupId });
    const second = await forward(cid, { messageId: first.messageId, receiverId: ann.id });
    expect(second).toMatchObject({ senderId: cid.id, forwarded: { senderId: ann.id, senderName: ann.firstName } });
  });

  test("has the author's present name, whether the message or the account is changed or deleted later", async () => {
    const { ann, bob, messageId, groupId } = await messageAndGroup();
    await forward(bob, { messageId, groupId });
    const shown = async () => (await chatHistory(bob.device, groupId)).at(-1);
    await messenger().http("PATCH", "/users/me", { token: ann.token, body: { firstName: "Anna" } });
    expect(await shown()).toMatchObject({ forwarded: { senderId: ann.id, senderName: "Anna" } });
    await ann.device.request("editMessage", { messageId, content: "Bye" });
    await ann.device.request("deleteMessage", { messageId });
    expect(await shown()).toMatchObject({ message: "Hi", forwarded: { senderName: "Anna" } });
    await deleteAccount(messenger(), ann);
    expect(await shown()).toMatchObject({ message: "Hi", forwarded: { senderId: ann.id, senderName: "Deleted user" } });
  });

  test("has neither reactions, pin nor reply of the original, and can be reacted to and pinned", async () => {
    const { ann, bob, messageId, groupId } = await messageAndGroup();
    const { messageId: reply } = await sendPrivately(ann.device, bob.id, "Hello", { replyTo: messageId });
    await bob.device.request("react", { messageId: reply, emoji: "👍", on: true });
    await bob.device.request("pinMessage", { messageId: reply, on: true });
    const item = await forward(bob, { messageId: reply, groupId });
    for (const key of ["replyTo", "reactions", "pinned", "change"]) expect(item).not.toHaveProperty(key);
    const reacted = await bob.device.request("react", { messageId: item.messageId, emoji: "🎉", on: true });
    expect(reacted.params.item).toMatchObject({ forwarded: { senderId: ann.id }, reactions: [{ emoji: "🎉" }] });
  });

  test("cannot be edited, and names nobody once it is deleted", async () => {
    const { bob, messageId, groupId } = await messageAndGroup();
    const item = await forward(bob, { messageId, groupId });
    const params = { messageId: item.messageId, content: "I never said this" };
    expect(await bob.device.requestError("editMessage", params)).toMatchObject({ code: "FORBIDDEN" });
    const deleted = await bob.device.request("deleteMessage", { messageId: item.messageId });
    expect(deleted.params.item).toMatchObject({ message: "", deletedAt: expect.any(String) });
    expect(deleted.params.item).not.toHaveProperty("forwarded");
    expect((await groupHistory(bob.device, groupId))[0]).not.toHaveProperty("forwarded");
  });

  test("counts as read by its sender and as unread by the others", async () => {
    const { bob, cid, messageId, groupId } = await messageAndGroup();
    await forward(bob, { messageId, groupId });
    const unreadOf = async ({ device }: Participant) =>
      (await device.request("listLastMessage", { limit: 9, page: 1 })).params.data.find(
        ({ chatId }) => chatId === groupId,
      )?.unread;
    expect(await unreadOf(bob)).toBe(0);
    expect(await unreadOf(cid)).toBe(1);
  });
});

describe("forwarding", () => {
  test("a message that the caller cannot read has one answer, whatever the reason", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner, member, stranger } = people;
    const { messageId } = await sendToGroup(owner.device, groupId, "secret");
    const { messageId: deleted } = await sendToGroup(owner.device, groupId, "gone");
    await owner.device.request("deleteMessage", { messageId: deleted });
    await member.device.request("leaveGroup", { groupId });
    const to = { receiverId: owner.id };
    const unknown = await errorOf(stranger.device, "forwardMessage", { messageId: unknownId, ...to });
    expect(unknown).toMatchObject({ code: "NOT_FOUND", message: "There is no such message" });
    for (const { device } of [stranger, member]) {
      for (const id of [messageId, deleted]) {
        expect(await errorOf(device, "forwardMessage", { messageId: id, ...to })).toEqual(unknown);
      }
    }
    // A cleared message is gone for the person who cleared the dialog.
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const [cleared] = await chatHistory(ann.device, chatId);
    await ann.device.request("clearDialog", { receiverId: bob.id });
    const params = { messageId: cleared?.messageId ?? 0, receiverId: ann.id };
    expect(await errorOf(ann.device, "forwardMessage", params)).toEqual(unknown);
    expect(await forward(bob, { ...params, receiverId: bob.id })).toMatchObject({ message: "Hi" });
  });

  test("deleted and system messages is refused", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { member } = people;
    const { messageId } = await sendToGroup(member.device, groupId, "gone");
    await member.device.request("deleteMessage", { messageId });
    const [created] = await chatHistory(member.device, groupId);
    for (const id of [messageId, created?.messageId ?? 0]) {
      const answer = await member.device.requestError("forwardMessage", { messageId: id, receiverId: member.id });
      expect(answer).toMatchObject({ code: "FORBIDDEN" });
    }
  });

  test("to a group that the caller is not in, and to an unknown one, is refused alike and stores nothing", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { member, stranger } = people;
    await member.device.request("leaveGroup", { groupId });
    for (const person of [member, stranger]) {
      const { messageId } = await sendPrivately(person.device, person.id, "mine");
      const unknown = await errorOf(person.device, "forwardMessage", { messageId, groupId: unknownId });
      expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
      expect(await errorOf(person.device, "forwardMessage", { messageId, groupId })).toEqual(unknown);
      // The id of a dialog is not that of a group.
      const { chatId } = await sendPrivately(person.device, people.owner.id, "hello");
      expect(await errorOf(person.device, "forwardMessage", { messageId, groupId: chatId })).toEqual(unknown);
    }
    expect(await groupHistory(people.owner.device, groupId)).not.toContainEqual(
      expect.objectContaining({ content: "mine" }),
    );
  });

  test("to a person who blocks the caller, was deleted or never existed is refused alike", async () => {
    const [ann, blocker, deleted] = await participants(messenger(), 1, 1, 1);
    const { messageId } = await sendPrivately(ann.device, ann.id, "mine");
    // One dialog exists, the other would be created.
    for (const withDialog of [true, false]) {
      const [other] = await participants(messenger(), 1);
      if (withDialog) await sendPrivately(ann.device, other.id, "hello");
      await block(messenger(), other, ann);
      const params = { messageId, receiverId: other.id };
      expect(await errorOf(ann.device, "forwardMessage", params)).toMatchObject({ code: "NOT_FOUND" });
    }
    await sendPrivately(ann.device, blocker.id, "hello");
    await block(messenger(), ann, blocker);
    // Blocking is one-sided.
    expect(await forward(ann, { messageId, receiverId: blocker.id })).toMatchObject({ seq: 2 });
    await sendPrivately(ann.device, deleted.id, "hello");
    await deleteAccount(messenger(), deleted);
    const unknown = await errorOf(ann.device, "forwardMessage", { messageId, receiverId: unknownId });
    expect(await errorOf(ann.device, "forwardMessage", { messageId, receiverId: deleted.id })).toEqual(unknown);
  });

  test("needs exactly one target", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const [message] = await chatHistory(ann.device, chatId);
    const { messageId = 0 } = message ?? {};
    const neither = await ann.device.requestError("forwardMessage", { messageId });
    expect(neither).toMatchObject({ code: "VALIDATION", field: "params.receiverId" });
    const both = await ann.device.requestError("forwardMessage", { messageId, receiverId: bob.id, groupId: 1 });
    expect(both).toMatchObject({ code: "VALIDATION", field: "params.groupId" });
  });

  test("while the original is deleted copies the text or nothing", async () => {
    const { ann, bob, messageId, groupId } = await messageAndGroup();
    for (let round = 0; round < 10; round++) {
      const { messageId: original } = await sendPrivately(ann.device, bob.id, `text ${round}`);
      const [copied] = await Promise.all([
        bob.device.exchange({ type: "forwardMessage", params: { messageId: original, groupId } }),
        ann.device.request("deleteMessage", { messageId: original }),
      ]);
      if (copied.error) expect(copied.code).toBe("FORBIDDEN");
      else expect(copied.params.item.message).toBe(`text ${round}`);
    }
    expect(await forward(bob, { messageId, groupId })).toMatchObject({ message: "Hi" });
  });
});

describe("forwarding that is repeated with the same clientMessageId", () => {
  const clientMessageId = "forwarded-1";

  test("is answered with the stored message, also when the original is deleted or out of reach, and pushed once", async () => {
    const { groupId: sourceId, people } = await groupOfSix(messenger());
    const { owner, member, secondMember } = people;
    const { messageId } = await sendToGroup(owner.device, sourceId, "Read this");
    const params = { messageId, receiverId: secondMember.id, clientMessageId };
    const item = await forward(member, params);
    expect(item).not.toHaveProperty("duplicate");
    const received = await pushesDuring(secondMember.devices, async () => {
      expect(await forward(member, params)).toEqual({ ...item, duplicate: true });
      await owner.device.request("deleteMessage", { messageId });
      expect(await forward(member, params)).toEqual({ ...item, duplicate: true });
      await member.device.request("leaveGroup", { groupId: sourceId });
      expect(await forward(member, params)).toEqual({ ...item, duplicate: true });
    });
    expect(received.flat().filter(({ type }) => type === "privateMessage")).toEqual([]);
    await block(messenger(), secondMember, member);
    expect(await forward(member, params)).toEqual({ ...item, duplicate: true });
  });

  test("by a sender who has left the group does not say what has happened to the message since", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner, member } = people;
    const { messageId } = await sendPrivately(member.device, member.id, "mine");
    const item = await forward(member, { messageId, groupId, clientMessageId });
    const { messageId: other } = await sendPrivately(member.device, member.id, "mine, too");
    const kept = await forward(member, { messageId: other, groupId, clientMessageId: "forwarded-2" });
    await member.device.request("leaveGroup", { groupId });
    await owner.device.request("deleteMessage", { messageId: item.messageId });
    const known = (stored: MessageItem) => {
      const { forwarded: _forwarded, groupName: _groupName, ...rest } = stored;
      return { ...rest, message: "", duplicate: true };
    };
    expect(await forward(member, { messageId, groupId, clientMessageId })).toEqual(known(item));
    expect(await forward(member, { messageId: other, groupId, clientMessageId: "forwarded-2" })).toEqual(known(kept));
  });

  test("with another source or target, or as another type, is a conflict", async () => {
    const { ann, bob, cid, messageId, groupId } = await messageAndGroup();
    const { messageId: other } = await sendPrivately(ann.device, bob.id, "Hi");
    await forward(bob, { messageId, groupId, clientMessageId });
    await forward(bob, { messageId, receiverId: cid.id, clientMessageId: "forwarded-2" });
    await sendToGroup(bob.device, groupId, "Hi", { clientMessageId: "sent-message" });
    const others: [type: string, params: object][] = [
      ["forwardMessage", { messageId: other, groupId, clientMessageId }],
      ["forwardMessage", { messageId, receiverId: cid.id, clientMessageId }],
      ["forwardMessage", { messageId, receiverId: ann.id, clientMessageId: "forwarded-2" }],
      ["forwardMessage", { messageId, groupId, clientMessageId: "sent-message" }],
      ["messageInGroup", { groupId, content: "Hi", clientMessageId }],
      ["privateMessage", { receiverId: cid.id, content: "Hi", clientMessageId: "forwarded-2" }],
      ["newGroup", { groupName: "Hi", clientMessageId }],
    ];
    for (const [type, params] of others) {
      expect(await bob.device.requestError(type, params)).toMatchObject({ code: "CONFLICT" });
    }
    expect(await chatHistory(bob.device, groupId)).toHaveLength(4);
  });

  test("twenty times at once from two devices is stored once and pushed once", async () => {
    const { bob, cid, messageId, groupId } = await messageAndGroup();
    const params = { messageId, groupId, clientMessageId };
    const received = await pushesDuring([cid.device], async () => {
      const answers = await Promise.all(
        numbers(1, 20).map((n) => bob.devices[n % 2]?.exchange({ type: "forwardMessage", params })),
      );
      const items = answers.map((answer) => answer.params.item);
      expect(new Set(items.map(({ messageId: id, seq }) => `${id} ${seq}`)).size).toBe(1);
      expect(items.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    });
    expect(received[0]).toHaveLength(1);
  });

  test("at the same time to different chats is stored once; the others are conflicts", async () => {
    const { ann, bob } = await annAndBob(messenger(), 2);
    const { messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    const groups = [await createGroup(bob.device, [], "left"), await createGroup(bob.device, [], "right")];
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        groups.map((groupId, index) =>
          bob.devices[index]?.exchange({
            type: "forwardMessage",
            params: { messageId, groupId, clientMessageId: `contested-${round}` },
          }),
        ),
      );
      expect(answers.map((answer) => answer.code ?? "stored").sort()).toEqual(["CONFLICT", "stored"]);
    }
  });
});
