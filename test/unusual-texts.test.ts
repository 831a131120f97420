import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { annAndBob, groupHistory, listChats, participant, sendPrivately, sendToGroup } from "./support/scenes.ts";

/* Unusual texts: quotes, SQL, markup, all scripts and control characters. */

const messenger = useMessenger();

describe("text is returned as it was sent, in answers, pushes and the history", () => {
  const texts = [
    "'",
    '"',
    'it\'s 100% "quoted"',
    "x".repeat(256),
    "'); DROP TABLE users; --",
    '<script>alert("hi")</script><b>&amp;</b>',
    "שלום עולם, مرحبا \u202eabc\u202c",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u1e9b\u0323",
    '{"type":"privateMessage","params":{"content":"x"}}',
    "back\\slash \\\\ \\n \\u0041 \\",
    "$1 $2 $$ $content $senderId",
    ":name :content ::text ? ?? @p1",
    "%s %d %% _",
    "E'\\\\' U&'\\0041'",
    "two\nlines\r\nand\ttabs",
    "  spaces around  ",
    "\u0001\u0008\u001b[31m\u007f\u0085",
    "\ufeff\ufffd\uffff\u{10ffff}",
    "x".repeat(4096),
    "😀".repeat(2048),
    "\u0001".repeat(4096),
  ];

  test("in a dialog", async () => {
    const { ann, bob } = await annAndBob(messenger());
    for (const content of texts) {
      expect((await sendPrivately(ann.device, bob.id, content)).message).toBe(content);
      const push = await bob.device.nextPush("privateMessage");
      expect([push.params.message, push.params.item.message]).toEqual([content, content]);
      expect((await listChats(bob.device))[0]?.content).toBe(content);
    }
    const { params } = await bob.device.request("getlatestMessageDialog", { receiverId: ann.id, limit: 100, page: 1 });
    expect(params.data.map(({ content }) => content).reverse()).toEqual(texts);
  });

  test("in a group, and in its name", async () => {
    const ann = await participant(messenger(), { firstName: "$1 ann" });
    const bob = await participant(messenger(), { firstName: "Bob ':name'" });
    for (const groupName of texts.filter((text) => text.length <= 64)) {
      const { params } = await ann.device.request("newGroup", { groupName });
      expect(params.item).toMatchObject({ groupName, event: { groupName } });
      const groupId = params.item.chatId;
      await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
      const { params: added } = await bob.device.nextPush("addUserInGroup");
      expect(added).toMatchObject({ message: "$1 ann added Bob ':name' to the group", item: { groupName } });
      await sendToGroup(ann.device, groupId, groupName);
      expect((await bob.device.nextPush("messageInGroup")).params.item).toMatchObject({
        message: groupName,
        groupName,
      });
      expect((await groupHistory(bob.device, groupId))[0]?.content).toBe(groupName);
      expect((await listChats(bob.device))[0]).toMatchObject({ groupId, groupName, content: groupName });
    }
  });

  test("as a clientMessageId of any printable ASCII characters", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const clientMessageIds = ["$content", "':name'\"", "'); DROP TABLE messages; --", " ".repeat(8), "~".repeat(64)];
    for (const clientMessageId of clientMessageIds) {
      const send = () => sendPrivately(ann.device, bob.id, "once", { clientMessageId });
      const [first, second] = [await send(), await send()];
      expect(first).toMatchObject({ clientMessageId });
      expect(second).toEqual({ ...first, duplicate: true });
    }
  });
});
