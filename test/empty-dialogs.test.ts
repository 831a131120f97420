import { beforeEach, describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  block,
  listChats,
  type Participant,
  pushesDuring,
  sendPrivately,
  unblock,
  unknownId,
} from "./support/scenes.ts";

/*
 * A send that is rejected after the dialog was created leaves a dialog without messages. It counts as no chat: otherwise a
 * blocked user could tell the user who blocks from one who does not exist.
 */

const messenger = useMessenger();

/** Bob, who has an empty dialog with Ann, and its id. */
let ann: Participant;
let bob: Participant;
let chatId: number;

beforeEach(async () => {
  ({ ann, bob } = await annAndBob(messenger()));
  const rejected = { receiverId: ann.id, content: "Hi", replyTo: unknownId };
  expect(await bob.device.requestError("privateMessage", rejected)).toMatchObject({ code: "NOT_FOUND" });
  const [dialog] = await messenger().sql<{ id: number; version: number }>(
    "SELECT id, version FROM chats WHERE $ann IN (pair_low, pair_high) AND $bob IN (pair_low, pair_high)",
    { ann: ann.id, bob: bob.id },
  );
  expect(dialog).toMatchObject({ version: 0 });
  chatId = dialog?.id ?? 0;
});

/** What Bob is answered to requests about a user, without what differs in any two answers. */
async function answersAbout(userId: number) {
  const frames = [
    { type: "getlatestMessageDialog", params: { receiverId: userId, limit: 5, page: 1 } },
    { type: "clearDialog", params: { receiverId: userId } },
    { type: "privateMessage", params: { receiverId: userId, content: "Hi" } },
    { type: "privateMessage", params: { receiverId: userId, content: "Hi", replyTo: unknownId } },
    { type: "privateMessage", params: { receiverId: userId, content: "Hi", clientMessageId: "used before" } },
    { type: "watchPresence", params: { userIds: [userId] } },
  ];
  const answers: unknown[] = [];
  for (const frame of frames) answers.push(await bob.device.exchange(frame));
  for (const method of ["GET", "PUT"]) {
    const path = method === "GET" ? `/users/${userId}` : `/users/me/blocks/${userId}`;
    const { status, body } = await messenger().http(method, path, { token: bob.token });
    answers.push({ status, body });
  }
  return JSON.parse(
    JSON.stringify(answers, (key, value) => (key === "requestId" ? null : value === userId ? "the user" : value)),
  );
}

/** What Bob is answered to requests about a chat, without what differs in any two answers. */
async function answersAboutChat(id: number) {
  const frames = [
    { type: "getMessages", params: { chatId: id, limit: 5 } },
    { type: "markRead", params: { chatId: id, seq: 1 } },
    { type: "typing", params: { chatId: id } },
    { type: "messageInGroup", params: { groupId: id, content: "Hi" } },
    { type: "sync", params: { chats: [[id, 1, 0]], range: [id, id] } },
    { type: "sync", params: { chats: [[id, 0, 0]], range: [id, id] } },
    { type: "sync", params: { chats: [], range: [id, id] } },
  ];
  const answers: unknown[] = [];
  for (const frame of frames) answers.push(await bob.device.exchange(frame));
  return JSON.parse(
    JSON.stringify(answers, (key, value) =>
      ["requestId", "serverTime"].includes(key) ? null : value === id ? "the chat" : value,
    ),
  );
}

describe("to a blocked user who has an empty dialog with the user who blocks", () => {
  test("that user looks like one who does not exist", async () => {
    await sendPrivately(bob.device, bob.id, "to myself", { clientMessageId: "used before" });
    await block(messenger(), ann, bob);
    expect(await answersAbout(ann.id)).toEqual(await answersAbout(unknownId));
  });

  test("the dialog looks like a chat that does not exist", async () => {
    await block(messenger(), ann, bob);
    expect(await answersAboutChat(chatId)).toEqual(await answersAboutChat(unknownId));
  });

  test("nothing is pushed when the block ends", async () => {
    await block(messenger(), ann, bob);
    const [pushes] = await pushesDuring([bob.device], () => unblock(messenger(), ann, bob));
    expect(pushes).toEqual([]);
  });
});

test("an empty dialog looks like a chat that does not exist to a user who is not blocked, too", async () => {
  expect(await answersAboutChat(chatId)).toEqual(await answersAboutChat(unknownId));
  const answer = await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 5, page: 1 });
  expect(answer.params.data).toEqual([]);
  expect((await bob.device.request("clearDialog", { receiverId: ann.id })).params.item).toBeNull();
});

test("an empty dialog is used by the first message that is stored", async () => {
  expect(await sendPrivately(bob.device, ann.id, "Hi")).toMatchObject({ chatId, seq: 1, version: 1 });
  expect(await ann.device.nextPush("privateMessage")).toMatchObject({ params: { item: { chatId, seq: 1 } } });
  expect(await sendPrivately(ann.device, bob.id, "Hi, too")).toMatchObject({ chatId, seq: 2 });
  expect(await listChats(bob.device)).toMatchObject([{ chatId, content: "Hi, too" }]);
});
