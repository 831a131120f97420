import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBobInDialog,
  block,
  createGroup,
  errorOf,
  listChats,
  participant,
  pushesOfType,
  sendPrivately,
  sendToGroup,
  unblock,
  unknownId,
} from "./support/scenes.ts";

/* Read positions and cleared dialogs: what they change, and who is notified. */

const messenger = useMessenger();

const markRead = async (device: Device, chatId: number, seq: number) =>
  (await device.request("markRead", { chatId, seq })).params.item;

describe("the read position", () => {
  test("moves forward only, and never past the newest message", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    for (const content of ["two", "three"]) await sendPrivately(ann.device, bob.id, content);
    const item = (readSeq: number) => ({ chatId, userId: bob.id, readSeq });
    expect(await markRead(bob.device, chatId, 2)).toEqual(item(2));
    expect(await markRead(bob.device, chatId, 1)).toEqual(item(2));
    expect(await markRead(bob.device, chatId, Number.MAX_SAFE_INTEGER)).toEqual(item(3));
    await sendPrivately(ann.device, bob.id, "four");
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 3, unread: 1, senderId: ann.id }]);
  });

  test("is pushed to the user's other devices and to the peer of a dialog, not to the requesting device", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await markRead(bob.device, chatId, 1);
    const item = { chatId, userId: bob.id, readSeq: 1 };
    for (const one of [bob.otherDevice, ann.device, ann.otherDevice]) {
      expect(await pushesOfType(one, "markRead")).toMatchObject([{ params: { data: null, message: null, item } }]);
    }
    expect(await pushesOfType(bob.device, "markRead")).toEqual([]);
  });

  test("is pushed to nobody if it does not move", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    for (const seq of [1, 1, 5]) await markRead(bob.device, chatId, seq);
    expect(await pushesOfType(ann.device, "markRead")).toHaveLength(1);
    expect(await pushesOfType(bob.otherDevice, "markRead")).toHaveLength(1);
  });

  test("is not pushed to other members of a group", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await sendToGroup(ann.device, groupId, "three");
    await markRead(bob.device, groupId, 3);
    expect(await pushesOfType(bob.otherDevice, "markRead")).toMatchObject([{ params: { item: { chatId: groupId } } }]);
    expect(await pushesOfType(ann.device, "markRead")).toEqual([]);
    expect(await listChats(ann.device)).toMatchObject([{ chatId: groupId, readSeq: 3 }, { receiverId: bob.id }]);
  });

  test("determines the unread count; sending a message moves it to that message", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    for (const content of ["two", "three", "four"]) await sendPrivately(ann.device, bob.id, content);
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 0, unread: 4 }]);
    await markRead(bob.device, chatId, 3);
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 3, unread: 1 }]);
    await sendPrivately(bob.device, ann.id, "five");
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 5, unread: 0 }]);
    expect(await listChats(ann.device)).toMatchObject([{ readSeq: 4, unread: 1 }]);
  });

  test("is not affected by edits and deletions", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "two");
    await markRead(bob.device, chatId, 2);
    await ann.device.request("editMessage", { messageId, content: "two, better" });
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 2, unread: 0, chatVersion: 3 }]);
    await ann.device.request("deleteMessage", { messageId });
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 2, unread: 0, chatVersion: 4 }]);
  });

  test("cannot be moved by strangers and ex-members, who get the same error as for an unknown chat", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await bob.device.request("leaveGroup", { groupId });
    const { device: stranger } = await participant(messenger());
    const unknown = await errorOf(stranger, "markRead", { chatId: unknownId, seq: 1 });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await errorOf(stranger, "markRead", { chatId, seq: 1 })).toEqual(unknown);
    expect(await errorOf(bob.device, "markRead", { chatId: groupId, seq: 1 })).toEqual(unknown);
    expect(await listChats(bob.device)).toMatchObject([{ readSeq: 0, unread: 1 }]);
  });

  test.each([{ seq: 0 }, { seq: -1 }, { seq: "1" }, {}])("with an invalid seq is rejected: %j", async (params) => {
    const { bob, chatId } = await annAndBobInDialog(messenger());
    expect(await bob.device.requestError("markRead", { chatId, ...params })).toMatchObject({ code: "VALIDATION" });
  });
});

describe("read state across a block", () => {
  /** The peer's read position as returned to a device that knows nothing. */
  const peerReadSeq = async (device: Device, chatId: number) => {
    const { chats } = (await device.request("sync", { chats: [] })).params.item;
    return chats.find((chat) => chat.chatId === chatId)?.peerReadSeq;
  };
  const readPositionsPushedTo = async (device: Device) =>
    (await pushesOfType(device, "markRead")).map(({ params }) => params.item);

  test.each([
    ["the blocking user", true],
    ["the blocked user", false],
  ])(
    "the read position of %s is pushed to that user's own devices only and not returned to the peer",
    async (_who, isBlocker) => {
      const { ann, bob, chatId } = await annAndBobInDialog(messenger());
      await (isBlocker ? block(messenger(), bob, ann) : block(messenger(), ann, bob));
      await markRead(bob.device, chatId, 1);
      const item = { chatId, userId: bob.id, readSeq: 1 };
      expect(await readPositionsPushedTo(bob.otherDevice)).toEqual([item]);
      expect(await readPositionsPushedTo(ann.device)).toEqual([]);
      expect(await peerReadSeq(ann.device, chatId)).toBeUndefined();
      expect(await peerReadSeq(bob.device, chatId)).toBeUndefined();
    },
  );

  test("a cleared dialog is pushed to the user's own devices only", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await block(messenger(), bob, ann);
    await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(await pushesOfType(bob.otherDevice, "clearDialog")).toHaveLength(1);
    expect(await readPositionsPushedTo(ann.device)).toEqual([]);
  });

  test("when the last of two blocks is lifted, both users are pushed the peer's read position that sync returns", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await block(messenger(), bob, ann);
    await block(messenger(), ann, bob);
    await markRead(bob.device, chatId, 1);
    await unblock(messenger(), bob, ann);
    expect(await readPositionsPushedTo(ann.device)).toEqual([]);
    await unblock(messenger(), ann, bob);
    expect(await readPositionsPushedTo(ann.device)).toEqual([{ chatId, userId: bob.id, readSeq: 1 }]);
    expect(await readPositionsPushedTo(ann.otherDevice)).toEqual([{ chatId, userId: bob.id, readSeq: 1 }]);
    expect(await readPositionsPushedTo(bob.device)).toEqual([{ chatId, userId: ann.id, readSeq: 1 }]);
    expect(await peerReadSeq(ann.device, chatId)).toBe(1);
    expect(await peerReadSeq(bob.device, chatId)).toBe(1);
  });
});

describe("clearing a dialog", () => {
  test("removes it from the caller's chat list and history only", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await sendPrivately(bob.device, ann.id, "two");
    const { params } = await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(params.item).toEqual({ chatId, clearedSeq: 2, readSeq: 2 });

    expect(await listChats(bob.device)).toEqual([]);
    const historyLength = async (device: Device, receiverId: number) =>
      (await device.request("getlatestMessageDialog", { receiverId, limit: 10, page: 1 })).params.data.length;
    expect(await historyLength(bob.device, ann.id)).toBe(0);
    const messages = await bob.device.request("getMessages", { chatId, limit: 10 });
    expect(messages.params).toMatchObject({ data: [], item: { hasMore: false } });

    expect(await listChats(ann.device)).toHaveLength(1);
    expect(await historyLength(ann.device, bob.id)).toBe(2);
  });

  test("is pushed to the user's other devices; the peer gets only the read position", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await bob.device.request("clearDialog", { receiverId: ann.id });
    const item = { chatId, clearedSeq: 1, readSeq: 1 };
    expect(await pushesOfType(bob.otherDevice, "clearDialog")).toMatchObject([{ params: { item } }]);
    expect(await pushesOfType(bob.device, "clearDialog")).toEqual([]);
    for (const one of [ann.device, ann.otherDevice]) {
      expect(await pushesOfType(one, "clearDialog")).toEqual([]);
      const read = { chatId, userId: bob.id, readSeq: 1 };
      expect((await pushesOfType(one, "markRead")).map(({ params }) => params.item)).toEqual([read]);
    }
  });

  test("does not push an unchanged read position to the peer", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await markRead(bob.device, chatId, 1);
    await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(await pushesOfType(ann.device, "markRead")).toHaveLength(1);
  });

  test("lasts until the next message, which is then the only one shown", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await bob.device.request("clearDialog", { receiverId: ann.id });
    await sendPrivately(ann.device, bob.id, "are you there?");
    expect(await listChats(bob.device)).toMatchObject([{ chatId, content: "are you there?", unread: 1, readSeq: 1 }]);
    const { params } = await bob.device.request("getMessages", { chatId, limit: 10 });
    expect(params.data.map(({ message }) => message)).toEqual(["are you there?"]);
  });

  test("is not undone by an edit of a cleared message", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "two");
    await bob.device.request("clearDialog", { receiverId: ann.id });
    await ann.device.request("editMessage", { messageId, content: "two, better" });
    expect(await listChats(bob.device)).toEqual([]);
  });

  test("twice changes nothing", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const first = await bob.device.request("clearDialog", { receiverId: ann.id });
    const second = await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(second.params.item).toEqual(first.params.item);
  });

  test("without a dialog succeeds and returns null", async () => {
    const { bob } = await annAndBobInDialog(messenger());
    const carl = await messenger().person("Carl");
    const { params } = await bob.device.request("clearDialog", { receiverId: carl.id });
    expect(params).toMatchObject({ data: null, item: null });
  });

  test("with an unknown user is rejected", async () => {
    const { bob } = await annAndBobInDialog(messenger());
    const answer = await errorOf(bob.device, "clearDialog", { receiverId: unknownId });
    expect(answer).toEqual({ error: true, type: "clearDialog", message: "There is no such user", code: "NOT_FOUND" });
  });
});

describe("the readers of a message", () => {
  const readers = async (device: Device, messageId: number, page = { limit: 10, page: 1 }) =>
    (await device.request("listReaders", { messageId, ...page })).params.data;

  test("are the members who have read up to it, those who have read furthest first", async () => {
    const [ann, bob, carl] = [
      await participant(messenger()),
      await participant(messenger()),
      await participant(messenger()),
    ];
    const groupId = await createGroup(ann.device, [bob, carl]);
    const first = await sendToGroup(ann.device, groupId, "one");
    await sendToGroup(ann.device, groupId, "two");
    await markRead(bob.device, groupId, first.seq);
    const expected = [
      { userId: ann.id, firstName: ann.firstName, lastName: null, readSeq: first.seq + 1 },
      { userId: bob.id, firstName: bob.firstName, lastName: null, readSeq: first.seq },
    ];
    expect(await readers(carl.device, first.messageId)).toEqual(expected);
    expect(await readers(carl.device, first.messageId, { limit: 1, page: 2 })).toEqual(expected.slice(1));
  });

  test("are without those who block the caller or whom the caller blocks", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "two");
    await markRead(bob.device, chatId, 2);
    expect(await readers(ann.device, messageId)).toHaveLength(2);
    await block(messenger(), bob, ann);
    expect(await readers(ann.device, messageId)).toMatchObject([{ userId: ann.id }]);
    expect(await readers(bob.device, messageId)).toMatchObject([{ userId: bob.id }]);
  });
});
