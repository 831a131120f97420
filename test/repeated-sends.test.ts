import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  chatHistory,
  createGroup,
  groupHistory,
  listChats,
  numbers,
  participants,
  pushesDuring,
  sendPrivately,
  sendToGroup,
} from "./support/scenes.ts";

/* Sends that are repeated with the same clientMessageId: stored once, pushed once. */

const messenger = useMessenger();

describe("a send repeated with the same clientMessageId", () => {
  test("is answered with the stored message and pushed only once", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "once");
    const sends = [
      () => ann.device.request("messageInGroup", { groupId, content: "once", clientMessageId: "group-message-1" }),
      () =>
        ann.device.request("privateMessage", {
          receiverId: bob.id,
          content: "once",
          clientMessageId: "dialog-message-1",
        }),
      () => ann.device.request("newGroup", { groupName: "once", clientMessageId: "new-group-1" }),
    ];
    for (const send of sends) {
      const original = (await send()).params.item;
      expect(original).not.toHaveProperty("duplicate");
      const chats = await listChats(bob.device);
      const received = await pushesDuring([...ann.devices, bob.device], async () => {
        for (let again = 0; again < 3; again++) {
          expect((await send()).params.item).toEqual({ ...original, duplicate: true });
        }
      });
      expect(received).toEqual([[], [], []]);
      expect(await listChats(bob.device)).toEqual(chats);
    }
    const groups = (await listChats(ann.device)).filter(({ groupName }) => groupName === "once");
    expect(groups).toHaveLength(2);
  });

  test("from another device of the sender is the same message; from another person it is a new one", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "whose");
    const send = (device: Device) => sendToGroup(device, groupId, "hi", { clientMessageId: "the-same-id" });
    const [original, again, others] = [await send(ann.device), await send(ann.otherDevice), await send(bob.device)];
    expect(again).toEqual({ ...original, duplicate: true });
    expect(others).toMatchObject({ senderId: bob.id, seq: original.seq + 1 });
    expect(others).not.toHaveProperty("duplicate");
  });

  test("publishes the message if its commit had never been published", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const { chatId } = await sendPrivately(ann.device, bob.id, "before");
    await bob.device.nextPush();
    // Like a statement that reaches the database long after the server stopped waiting for it.
    await messenger().sql(
      `SELECT send_messages(ARRAY[$chatId]::bigint[], ARRAY[$senderId]::bigint[], ARRAY[$receiverId]::bigint[],
                            ARRAY['committed-late'], ARRAY[NULL]::bigint[], ARRAY['late'])`,
      { chatId, senderId: ann.id, receiverId: bob.id },
    );
    const again = { receiverId: bob.id, content: "late", clientMessageId: "committed-late" };
    expect((await ann.device.request("privateMessage", again)).params.item).toMatchObject({ seq: 2, duplicate: true });
    expect(await bob.device.nextPush()).toMatchObject({ params: { message: "late", item: { seq: 2 } } });
  });

  test("with other content, in another chat or as another type is a conflict and stores nothing", async () => {
    const [ann, bob, cid] = await participants(messenger(), 1, 1, 1);
    const [groupId, otherId] = [
      await createGroup(ann.device, [bob], "one"),
      await createGroup(ann.device, [bob], "two"),
    ];
    const clientMessageId = "group-message";
    await sendToGroup(ann.device, groupId, "first", { clientMessageId });
    await ann.device.request("newGroup", { groupName: "three", clientMessageId: "group-three" });
    await sendPrivately(ann.device, bob.id, "x", { clientMessageId: "dialog-one" });
    await sendPrivately(ann.device, cid.id, "y");
    const before = await listChats(ann.device);
    const others: [type: string, params: object][] = [
      ["messageInGroup", { groupId, content: "second", clientMessageId }],
      ["messageInGroup", { groupId: otherId, content: "first", clientMessageId }],
      ["privateMessage", { receiverId: bob.id, content: "first", clientMessageId }],
      ["newGroup", { groupName: "first", clientMessageId }],
      ["newGroup", { groupName: "four", clientMessageId: "group-three" }],
      ["messageInGroup", { groupId, content: "three", clientMessageId: "group-three" }],
      ["privateMessage", { receiverId: cid.id, content: "x", clientMessageId: "dialog-one" }],
    ];
    for (const [type, params] of others) {
      expect(await ann.device.requestError(type, params)).toMatchObject({
        code: "CONFLICT",
        message: "This clientMessageId was used for another message",
      });
    }
    expect(await listChats(ann.device)).toEqual(before);
  });

  test("twenty times at once from two devices gives one row and one push", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groupId = await createGroup(ann.device, [bob], "storm");
    const requests = {
      messageInGroup: { groupId, content: "storm", clientMessageId: "storm-in-the-group" },
      privateMessage: { receiverId: bob.id, content: "storm", clientMessageId: "storm-in-the-dialog" },
      newGroup: { groupName: "storm", clientMessageId: "storm-of-groups" },
    };
    for (const [type, params] of Object.entries(requests)) {
      const [own, second, bobs] = await pushesDuring([...ann.devices, bob.device], async () => {
        const answers = await Promise.all(numbers(1, 20).map((n) => ann.devices[n % 2]?.exchange({ type, params })));
        const items = answers.map((answer) => answer.params.item);
        expect(new Set(items.map(({ messageId, chatId, seq }) => `${messageId} ${chatId} ${seq}`)).size).toBe(1);
        expect(items.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      });
      expect([...(own ?? []), ...(second ?? [])]).toHaveLength(1);
      expect(bobs).toHaveLength(type === "newGroup" ? 0 : 1);
    }
    const created = (await listChats(ann.device)).filter(({ groupName }) => groupName === "storm");
    expect(created.map(({ chatVersion }) => chatVersion).sort()).toEqual([1, 3]);
    expect(await groupHistory(bob.device, groupId)).toHaveLength(3);
    const dialog = await ann.device.request("getlatestMessageDialog", { receiverId: bob.id, limit: 9, page: 1 });
    expect(dialog.params.data).toHaveLength(1);
  });

  test("at the same time with other content or in another chat is stored once; the others are conflicts", async () => {
    const [ann, bob] = await participants(messenger(), 2, 1);
    const groups = [await createGroup(ann.device, [], "left"), await createGroup(ann.device, [], "right")];
    for (let round = 0; round < 5; round++) {
      const clientMessageId = `contested-${round}`;
      const answers = await Promise.all([
        ...groups.map((groupId, index) =>
          ann.devices[index]?.exchange({ type: "messageInGroup", params: { groupId, content: "x", clientMessageId } }),
        ),
        ann.device.exchange({ type: "privateMessage", params: { receiverId: bob.id, content: "x", clientMessageId } }),
      ]);
      const outcomes = answers.map((answer) => answer.code ?? "stored").sort();
      expect(outcomes).toEqual(["CONFLICT", "CONFLICT", "stored"]);
    }
  });

  test("as a reply to another message is a conflict", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const first = await sendPrivately(ann.device, bob.id, "one");
    const second = await sendPrivately(ann.device, bob.id, "two");
    const message = { receiverId: bob.id, content: "reply", clientMessageId: "one-and-only" };
    const stored = await ann.device.request("privateMessage", { ...message, replyTo: first.messageId });
    for (const other of [{ replyTo: second.messageId }, {}]) {
      const answer = await ann.device.requestError("privateMessage", { ...message, ...other });
      expect(answer).toMatchObject({ code: "CONFLICT" });
    }
    const repeated = await ann.device.request("privateMessage", { ...message, replyTo: first.messageId });
    expect(repeated.params.item).toEqual({ ...stored.params.item, duplicate: true });
  });

  test("after the message was edited returns the edited message and stores nothing", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const message = { receiverId: bob.id, content: "helo", clientMessageId: "one-and-only" };
    const { messageId, chatId } = (await ann.device.request("privateMessage", message)).params.item;
    const edited = (await ann.device.request("editMessage", { messageId, content: "hello" })).params.item;
    const repeated = await ann.device.request("privateMessage", message);
    expect(repeated.params.item).toEqual({ ...edited, duplicate: true });
    expect(await chatHistory(bob.device, chatId)).toHaveLength(1);
  });

  test("after the message was deleted returns the empty message and does not restore it", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const message = { receiverId: bob.id, content: "gone", clientMessageId: "one-and-only" };
    const { messageId, chatId } = (await ann.device.request("privateMessage", message)).params.item;
    const deleted = (await ann.device.request("deleteMessage", { messageId })).params.item;
    const repeated = await ann.device.request("privateMessage", message);
    expect(repeated.params.item).toEqual({ ...deleted, duplicate: true });
    expect(await chatHistory(bob.device, chatId)).toMatchObject([{ message: "", deletedAt: deleted.deletedAt }]);
  });

  test("after its text was edited or deleted is still compared with what was sent", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(ann.device, [bob]);
    const { messageId: other } = await sendToGroup(bob.device, groupId, "first");
    const send = { groupId, content: "as sent", clientMessageId: "compared-01", replyTo: other };
    const { messageId } = (await ann.device.request("messageInGroup", send)).params.item;
    const changes = [
      () => ann.device.request("editMessage", { messageId, content: "edited" }),
      () => ann.device.request("editMessage", { messageId, content: "edited twice" }),
      () => ann.device.request("deleteMessage", { messageId }),
    ];
    for (const change of changes) {
      const { item } = (await change()).params;
      expect((await ann.device.request("messageInGroup", send)).params.item).toEqual({ ...item, duplicate: true });
      for (const different of [{ content: "edited" }, { content: "other" }, { replyTo: undefined }]) {
        const error = await ann.device.requestError("messageInGroup", { ...send, ...different });
        expect(error).toMatchObject({ code: "CONFLICT" });
      }
    }
  });

  test("by somebody who has left the group is answered as before, whatever has happened there since", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(ann.device, [bob]);
    const send = { groupId, content: "mine", clientMessageId: "left-since-1" };
    const { messageId } = (await bob.device.request("messageInGroup", send)).params.item;
    await bob.device.request("leaveGroup", { groupId });
    const repeat = async () => (await bob.device.request("messageInGroup", send)).params.item;
    const before = await repeat();
    expect(before).toMatchObject({ messageId, message: "mine", duplicate: true });
    await sendToGroup(ann.device, groupId, "secret");
    await ann.device.request("renameGroup", { groupId, groupName: "a secret name" });
    await ann.device.request("deleteMessage", { messageId });
    expect(await repeat()).toEqual(before);
    const error = await bob.device.requestError("messageInGroup", { ...send, content: "other" });
    expect(error).toMatchObject({ code: "CONFLICT" });
  });
});
