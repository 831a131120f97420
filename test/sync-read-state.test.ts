import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { annAndBob, createGroup, sendPrivately, sendToGroup } from "./support/scenes.ts";
import { chatIn, knownOf, syncWith, textsOf } from "./support/sync.ts";

/* Read positions, cleared dialogs and names that changed elsewhere, as sync returns them. */

const messenger = useMessenger();

describe("sync of read state and names", () => {
  test("the peer's read position in a dialog is returned to a device that knows another one", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId } = await sendPrivately(ann.device, bob.id, "Hi");
    const before = chatIn(await syncWith(ann.device), chatId);
    expect(before).toMatchObject({ userId: bob.id, readSeq: 1, peerReadSeq: 0 });
    await bob.device.request("markRead", { chatId, seq: 1 });

    const after = chatIn(await syncWith(ann.device, [knownOf(before)]), chatId);
    expect(after).toMatchObject({ version: 1, readSeq: 1, peerReadSeq: 1, messages: [] });
    expect((await syncWith(ann.device, [[chatId, 1, 1, 0]])).chats).toEqual([]);
    expect((await syncWith(ann.device, [knownOf(after)])).chats).toEqual([]);
    expect(chatIn(await syncWith(bob.device), chatId)).toMatchObject({ userId: ann.id, readSeq: 1, peerReadSeq: 1 });
  });

  test("the read position of one device is returned to the other", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await sendToGroup(ann.device, groupId, "text");
    await bob.device.request("markRead", { chatId: groupId, seq: 3 });
    const answer = await syncWith(await bob.connect(), [[groupId, 3, 2]]);
    expect(answer.chats).toMatchObject([{ chatId: groupId, version: 3, readSeq: 3, messages: [] }]);
    expect(chatIn(await syncWith(ann.device), groupId)).not.toHaveProperty("peerReadSeq");
  });

  test("a dialog cleared on one device is cleared on the other, and cleared messages are returned to neither", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId } = await sendPrivately(ann.device, bob.id, "one");
    await sendPrivately(bob.device, ann.id, "two");
    const before = chatIn(await syncWith(bob.device), chatId);
    await bob.device.request("clearDialog", { receiverId: ann.id });
    const other = await bob.connect();

    const cleared = chatIn(await syncWith(other, [knownOf(before)]), chatId);
    expect(cleared).toMatchObject({ version: 2, lastSeq: 2, readSeq: 2, clearedSeq: 2, messages: [] });
    expect(chatIn(await syncWith(other), chatId)).toMatchObject({
      version: 2,
      clearedSeq: 2,
      messages: [],
      joined: true,
    });

    await sendPrivately(ann.device, bob.id, "three");
    expect(textsOf(chatIn(await syncWith(other), chatId))).toEqual(["three"]);
    expect(textsOf(chatIn(await syncWith(ann.device), chatId))).toEqual(["one", "two", "three"]);
  });

  test("a change of a cleared message raises the version and is returned for the replies to it, new ones are not", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId, messageId } = await sendPrivately(ann.device, bob.id, "one");
    await bob.device.request("clearDialog", { receiverId: ann.id });
    const before = chatIn(await syncWith(bob.device), chatId);
    await ann.device.request("editMessage", { messageId, content: "one, edited" });
    expect(chatIn(await syncWith(bob.device, [knownOf(before)]), chatId)).toMatchObject({
      version: 2,
      messages: [{ seq: 1, message: "one, edited", change: { kind: "edit" } }],
    });
  });

  test("a dialog with oneself has oneself as peer and no peer read position", async () => {
    const { ann } = await annAndBob(messenger());
    const { chatId } = await sendPrivately(ann.device, ann.id, "do not forget");
    const chat = chatIn(await syncWith(ann.device), chatId);
    expect(chat).toMatchObject({ userId: ann.id, readSeq: 1 });
    expect(chat).not.toHaveProperty("peerReadSeq");
    expect((await syncWith(ann.device, [knownOf(chat)])).chats).toEqual([]);
  });

  test("a renamed group comes with its new name and the system message", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    await ann.device.request("renameGroup", { groupId, groupName: "a better name" });
    const chat = chatIn(await syncWith(bob.device, [[groupId, 2, 2]]), groupId);
    expect(chat.groupName).toBe("a better name");
    expect(chat.messages).toMatchObject([{ event: { kind: "groupRenamed", groupName: "a better name" } }]);
  });
});
