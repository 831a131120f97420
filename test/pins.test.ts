import { describe, expect, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import { groupOfSix } from "./support/group-scene.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBobInDialog,
  chatHistory,
  errorOf,
  type Participant,
  pushesOfType,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Pinned messages: who may pin, what is stored and pushed, and the list. */

const messenger = useMessenger();

const pin = async ({ device }: Participant, messageId: number, on = true): Promise<MessageItem> =>
  (await device.request("pinMessage", { messageId, on })).params.item;

const listPinned = async ({ device }: Participant, chatId: number, page = { limit: 100, page: 1 }) =>
  (await device.request("listPinned", { chatId, ...page })).params.data;

describe("a pin", () => {
  test("takes the chat's next version and is pushed to every device but the requesting one", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner, admin, member } = people;
    const { messageId, version } = await sendToGroup(member.device, groupId, "Read this");
    const item = await pin(admin, messageId);
    expect(item).toMatchObject({
      ...{ messageId, version: version + 1, message: "Read this", editedAt: null },
      change: { kind: "pin", by: admin.id, on: true },
      pinned: { by: admin.id, at: expect.any(String) },
    });
    for (const device of [...owner.devices, ...member.devices, admin.otherDevice]) {
      expect(await device.nextPush("pinMessage")).toMatchObject({ params: { item } });
    }
    expect(await listPinned(member, groupId)).toEqual([item]);

    const removed = await pin(owner, messageId, false);
    expect(removed).toMatchObject({ version: version + 2, change: { kind: "pin", by: owner.id, on: false } });
    expect(removed).not.toHaveProperty("pinned");
    expect(await listPinned(member, groupId)).toEqual([]);
  });

  test("that is as wanted already is answered with the message and stores nothing", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner, admin, member } = people;
    const { messageId } = await sendToGroup(member.device, groupId, "Read this");
    const item = await pin(owner, messageId);
    expect(await Promise.all([pin(admin, messageId), pin(owner, messageId)])).toEqual([item, item]);
    await pin(owner, messageId, false);
    await pin(admin, messageId, false);
    expect(await pushesOfType(member.device, "pinMessage")).toHaveLength(2);
  });

  test("is for admins and the owner of a group, and for both people of a dialog", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { messageId } = await sendToGroup(people.member.device, groupId, "mine");
    const answer = await people.member.device.requestError("pinMessage", { messageId, on: true });
    expect(answer).toMatchObject({ code: "FORBIDDEN" });
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const [message] = await chatHistory(ann.device, chatId);
    expect(await pin(bob, message?.messageId ?? 0)).toMatchObject({ pinned: { by: bob.id } });
    expect(await pin(ann, message?.messageId ?? 0, false)).not.toHaveProperty("pinned");
  });

  test("of a deleted message, a system message and an unknown one is refused", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner } = people;
    const { messageId } = await sendToGroup(owner.device, groupId, "gone");
    await owner.device.request("deleteMessage", { messageId });
    const [created] = await chatHistory(owner.device, groupId);
    const codeOf = async (id: number) =>
      (await owner.device.requestError("pinMessage", { messageId: id, on: true })).code;
    expect(await codeOf(messageId)).toBe("FORBIDDEN");
    expect(await codeOf(created?.messageId ?? 0)).toBe("FORBIDDEN");
    expect(await codeOf(unknownId)).toBe("NOT_FOUND");
  });

  test("is removed with its message, and stays when the message is edited", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const { owner, member } = people;
    const { messageId } = await sendToGroup(member.device, groupId, "Read this");
    const { pinned } = await pin(owner, messageId);
    const edited = await member.device.request("editMessage", { messageId, content: "Read that" });
    expect(edited.params.item).toMatchObject({ pinned, message: "Read that" });
    const deleted = await member.device.request("deleteMessage", { messageId });
    expect(deleted.params.item).not.toHaveProperty("pinned");
    expect(await listPinned(member, groupId)).toEqual([]);
    expect(await messenger().sql("SELECT * FROM chat_pins WHERE chat_id = $groupId", { groupId })).toEqual([]);
  });
});

describe("the list of pinned messages", () => {
  test("has the newest pin first, in pages, with one's own reactions marked", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const ids: number[] = [];
    for (const text of ["one", "two", "three"]) ids.push((await sendPrivately(ann.device, bob.id, text)).messageId);
    const [one = 0, two = 0, three = 0] = ids;
    for (const messageId of [two, three, one]) await pin(ann, messageId);
    await bob.device.request("react", { messageId: three, emoji: "👍", on: true });
    expect((await listPinned(bob, chatId)).map(({ messageId }) => messageId)).toEqual([one, three, two]);
    expect(await listPinned(bob, chatId, { limit: 2, page: 2 })).toMatchObject([{ messageId: two }]);
    expect((await listPinned(bob, chatId))[1]?.reactions).toEqual([
      { emoji: "👍", count: 1, userIds: [bob.id], mine: true },
    ]);
    expect((await listPinned(ann, chatId))[1]?.reactions).toEqual([{ emoji: "👍", count: 1, userIds: [bob.id] }]);
  });

  test("does not hold messages that were cleared", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "old");
    await pin(ann, messageId);
    await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(await listPinned(bob, chatId)).toEqual([]);
    expect(await listPinned(ann, chatId)).toHaveLength(1);
  });

  test("holds at most fifty messages", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    for (let n = 0; n < 50; n++) await pin(ann, (await sendPrivately(ann.device, bob.id, `${n}`)).messageId);
    const { messageId } = await sendPrivately(ann.device, bob.id, "one more");
    expect(await bob.device.requestError("pinMessage", { messageId, on: true })).toMatchObject({ code: "LIMIT" });
    expect(await listPinned(bob, chatId)).toHaveLength(50);
  });

  test("of an unknown chat and of one that the caller is not in are refused alike", async () => {
    const { groupId, people } = await groupOfSix(messenger());
    const page = { limit: 5, page: 1 };
    const unknown = await errorOf(people.stranger.device, "listPinned", { chatId: unknownId, ...page });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await errorOf(people.stranger.device, "listPinned", { chatId: groupId, ...page })).toEqual(unknown);
  });
});
