import { describe, expect, test } from "@jest/globals";
import { password, useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  createGroup,
  groupHistory,
  listChats,
  participant,
  sendPrivately,
  sendToGroup,
} from "./support/scenes.ts";

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
    "two\nlines\nand\ttabs",
    "  spaces around  ",
    "\ufeff\ufffd\uffff\u{10ffff}",
    "x".repeat(4096),
    "😀".repeat(2048),
    '"'.repeat(4096),
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
    for (const groupName of texts.filter((text) => text.length <= 64 && !/[\u202a-\u202e]/.test(text))) {
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

describe("text without a visible character is rejected", () => {
  const invisible = [
    "\u200b",
    "\u2060",
    "\u00ad",
    "\u200d",
    "\u3164",
    "\u2800",
    "\u202e",
    "\u115f",
    "\uffa0",
    "\ufeff",
    "\ufe0f",
  ];
  /** An object replacement, a null notehead, and noncharacters of several planes. */
  const blankSymbols = ["\ufffc", "\u{1d159}", "\ufffe", "\uffff", "\ufdd0", "\ufdef", "\u{1fffe}", "\u{10ffff}"];
  const blank = [...invisible, ...blankSymbols, "\u0301", "\u{e0041}", " \t\n", invisible.join(" ")];

  test.each(blank.map((text) => [JSON.stringify(text).slice(0, 20), text]))("%s", async (_name, text) => {
    const { ann, bob } = await annAndBob(messenger());
    const send = { receiverId: bob.id, content: text };
    expect(await ann.device.requestError("privateMessage", send)).toMatchObject({
      code: "VALIDATION",
      field: "params.content",
    });
    expect(await ann.device.requestError("newGroup", { groupName: text })).toMatchObject({ field: "params.groupName" });
    const change = await messenger().http("PATCH", "/users/me", { token: ann.token, body: { firstName: text } });
    expect(change).toMatchObject({ status: 400, body: { code: "VALIDATION", field: "body.firstName" } });
  });

  test.each(["202a", "202b", "202c", "202d", "202e", "2066", "2067", "2068", "2069"])(
    "the direction control U+%s is rejected in names and accepted in messages",
    async (code) => {
      const { ann, bob } = await annAndBob(messenger());
      const spoofing = `Ann ${String.fromCharCode(Number.parseInt(code, 16))}bob`;
      const groupId = await createGroup(ann.device);
      for (const [type, params] of [
        ["newGroup", { groupName: spoofing }],
        ["renameGroup", { groupId, groupName: spoofing }],
      ] as const) {
        expect(await ann.device.requestError(type, params)).toMatchObject({
          code: "VALIDATION",
          field: "params.groupName",
          message: '"groupName" must not hold characters that control the direction of text',
        });
      }
      for (const field of ["firstName", "lastName"]) {
        const body = { email: `spoofing${field}@example.test`, password, firstName: "Ann", [field]: spoofing };
        for (const answer of [
          await messenger().http("PATCH", "/users/me", { token: ann.token, body: { [field]: spoofing } }),
          await messenger().http("POST", "/auth/register", { body }),
        ]) {
          expect(answer).toMatchObject({ status: 400, body: { code: "VALIDATION", field: `body.${field}` } });
        }
      }
      expect(await sendPrivately(ann.device, bob.id, spoofing)).toMatchObject({ message: spoofing });
    },
  );

  test("control characters other than tab and line feed are rejected; stored ones are still shown", async () => {
    const { ann, bob } = await annAndBob(messenger());
    for (const character of ["\u0001", "\r", "\u007f", "\u0085"]) {
      const send = { receiverId: bob.id, content: `a${character}b` };
      expect(await ann.device.requestError("privateMessage", send)).toMatchObject({ field: "params.content" });
    }
    const { chatId, messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    const content = "from\u0001before";
    await messenger().sql("UPDATE messages SET content = $content WHERE id = $messageId RETURNING id", {
      content,
      messageId,
    });
    expect((await bob.device.request("getMessages", { chatId, limit: 1 })).params.data).toMatchObject([
      { message: content },
    ]);
  });
});
