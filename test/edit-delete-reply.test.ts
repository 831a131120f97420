import { describe, expect, jest, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import type { Device } from "./support/device.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";

/* What becomes of a message after it was sent: it is read, edited, taken back, answered, and sent once more. */

const messenger = useMessenger({ RATE_LIMITS: "off" });

interface Role {
  person: TestUser;
  device: Device;
}

/** Somebody on one device. */
async function someone(firstName?: string): Promise<Role> {
  const person = await messenger().person(firstName);
  const device = await person.connect();
  return { person, device };
}

/** A group with everyone who may have rights in it, and two who have none. */
async function wholeGroup() {
  const [owner, admin, author, member, exMember, stranger] = [
    await someone("Olga"),
    await someone("Adam"),
    await someone("Anna"),
    await someone("Mia"),
    await someone("Emil"),
    await someone("Stan"),
  ];
  const { params } = await owner.device.request("newGroup", { groupName: "a group" });
  const groupId = params.item.chatId;
  for (const { person } of [admin, author, member, exMember]) {
    await owner.device.request("addUserInGroup", { groupId, userId: person.id });
  }
  await owner.device.request("setMemberRole", { groupId, userId: admin.person.id, role: "admin" });
  return { groupId, owner, admin, author, member, exMember, stranger };
}

/** Two people, each on one device. */
async function twoPeople() {
  const [ann, bob] = [await someone("Ann"), await someone("Bob")];
  return { ann, bob };
}

async function say({ device }: Role, groupId: number, content: string, more: { replyTo?: number } = {}) {
  return (await device.request("messageInGroup", { groupId, content, ...more })).params.item;
}

async function sayTo({ device }: Role, { person }: Role, content: string, more: { replyTo?: number } = {}) {
  return (await device.request("privateMessage", { receiverId: person.id, content, ...more })).params.item;
}

const edit = async ({ device }: Role, messageId: number, content: string): Promise<MessageItem> =>
  (await device.request("editMessage", { messageId, content })).params.item;

const takeBack = async ({ device }: Role, messageId: number): Promise<MessageItem> =>
  (await device.request("deleteMessage", { messageId })).params.item;

/** The refusal, without the number of its request. */
async function refusal({ device }: Role, type: string, params: object) {
  const { requestId: _requestId, ...frame } = await device.requestError(type, params);
  return frame;
}

const history = async ({ device }: Role, chatId: number): Promise<MessageItem[]> =>
  (await device.request("getMessages", { chatId, limit: 100 })).params.data;

const unknownId = 999_999_999;
const noSuchMessage = { error: true, message: "There is no such message", code: "NOT_FOUND" };

describe("reading a chat around a place in it", () => {
  /** A dialog of ten messages, "1" to "10". */
  async function tenMessages() {
    const people = await twoPeople();
    for (let n = 1; n <= 10; n++) await sayTo(people.ann, people.bob, `${n}`);
    const [{ chatId } = { chatId: 0 }] = await people.ann.device
      .request("listLastMessage", { limit: 1, page: 1 })
      .then(({ params }) => params.data);
    const read = async (place: { before?: number; after?: number; around?: number; limit: number }) => {
      const { params } = await people.bob.device.request("getMessages", { chatId, ...place });
      return { seqs: params.data.map(({ seq }) => seq), hasMore: params.item.hasMore };
    };
    return { ...people, chatId, read };
  }

  test("pages go by rising seq and say whether there is more in the direction asked for", async () => {
    const { read } = await tenMessages();
    expect(await read({ limit: 4 })).toEqual({ seqs: [7, 8, 9, 10], hasMore: true });
    expect(await read({ limit: 10 })).toEqual({ seqs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], hasMore: false });
    expect(await read({ limit: 100 })).toMatchObject({ hasMore: false });
    expect(await read({ before: 7, limit: 3 })).toEqual({ seqs: [4, 5, 6], hasMore: true });
    expect(await read({ before: 4, limit: 3 })).toEqual({ seqs: [1, 2, 3], hasMore: false });
    expect(await read({ before: 1, limit: 3 })).toEqual({ seqs: [], hasMore: false });
    expect(await read({ before: 500, limit: 2 })).toEqual({ seqs: [9, 10], hasMore: true });
    expect(await read({ after: 4, limit: 3 })).toEqual({ seqs: [5, 6, 7], hasMore: true });
    expect(await read({ after: 7, limit: 3 })).toEqual({ seqs: [8, 9, 10], hasMore: false });
    expect(await read({ after: 10, limit: 3 })).toEqual({ seqs: [], hasMore: false });
    expect(await read({ after: 500, limit: 3 })).toEqual({ seqs: [], hasMore: false });
  });

  test("around a place both sides come with it, and there is more while either side goes on", async () => {
    const { read } = await tenMessages();
    expect(await read({ around: 5, limit: 1 })).toEqual({ seqs: [5], hasMore: true });
    expect(await read({ around: 5, limit: 5 })).toEqual({ seqs: [3, 4, 5, 6, 7], hasMore: true });
    const atTheStart = await read({ around: 1, limit: 5 });
    expect(atTheStart.seqs.slice(0, 3)).toEqual([1, 2, 3]);
    expect(atTheStart.hasMore).toBe(true);
    const atTheEnd = await read({ around: 10, limit: 5 });
    expect(atTheEnd.seqs.slice(-3)).toEqual([8, 9, 10]);
    expect(atTheEnd.hasMore).toBe(true);
    expect(await read({ around: 5, limit: 100 })).toEqual({ seqs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], hasMore: false });
  });

  test.each([{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, {}, { limit: 5, before: 0 }, { limit: 5, after: "1" }])(
    "a place or a limit out of bounds is refused: %j",
    async (params) => {
      const { bob, chatId } = await tenMessages();
      expect(await bob.device.requestError("getMessages", { chatId, ...params })).toMatchObject({ code: "VALIDATION" });
    },
  );

  test("two places at once are refused", async () => {
    const { bob, chatId } = await tenMessages();
    for (const places of [
      { before: 5, after: 2 },
      { before: 5, around: 2 },
      { after: 5, around: 2 },
      { before: 5, after: 2, around: 3 },
    ]) {
      const answer = await bob.device.requestError("getMessages", { chatId, limit: 5, ...places });
      expect(answer).toMatchObject({ code: "VALIDATION" });
    }
  });

  test("strangers and those who left are answered as if there were no such chat", async () => {
    const { groupId, owner, exMember, stranger } = await wholeGroup();
    await owner.device.request("removeUserFromGroup", { groupId, userId: exMember.person.id });
    const unknown = await refusal(stranger, "getMessages", { chatId: unknownId, limit: 5 });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await refusal(stranger, "getMessages", { chatId: groupId, limit: 5 })).toEqual(unknown);
    expect(await refusal(exMember, "getMessages", { chatId: groupId, limit: 5 })).toEqual(unknown);
  });

  test("of a cleared dialog only what came later is there, whatever the place", async () => {
    const { ann, bob, read } = await tenMessages();
    await bob.device.request("clearDialog", { receiverId: ann.person.id });
    expect(await read({ limit: 5 })).toEqual({ seqs: [], hasMore: false });
    await sayTo(ann, bob, "11");
    await sayTo(ann, bob, "12");
    expect(await read({ limit: 1 })).toEqual({ seqs: [12], hasMore: true });
    expect(await read({ before: 12, limit: 5 })).toEqual({ seqs: [11], hasMore: false });
    expect(await read({ before: 5, limit: 5 })).toEqual({ seqs: [], hasMore: false });
    expect(await read({ after: 1, limit: 1 })).toEqual({ seqs: [11], hasMore: true });
    expect(await read({ around: 11, limit: 5 })).toEqual({ seqs: [11, 12], hasMore: false });
    expect((await read({ around: 3, limit: 3 })).seqs.every((seq) => seq > 10)).toBe(true);
  });
});

describe("editing", () => {
  test("an edit keeps the place, takes the chat's next version, and reaches every device but the asking one", async () => {
    const { groupId, owner, author, member } = await wholeGroup();
    const { messageId, seq, version } = await say(author, groupId, "helo");
    const authorsOther = await author.person.connect();
    const item = await edit(author, messageId, "hello");
    expect(item).toMatchObject({ messageId, seq, version: version + 1, message: "hello", deletedAt: null });
    expect(item.editedAt).not.toBeNull();
    for (const device of [owner.device, member.device, authorsOther]) {
      const push = await device.nextPush("editMessage");
      expect(push).toMatchObject({ type: "editMessage", params: { message: "hello", senderName: "Anna", item } });
    }
    await author.device.settle();
    expect(author.device.pushes().filter(({ type }) => type === "editMessage")).toEqual([]);
    expect((await history(member, groupId)).at(-1)).toEqual(item);
  });

  test("the answer to an edit stands where the change stands among the others", async () => {
    const { groupId, author, owner } = await wholeGroup();
    const { messageId, version } = await say(author, groupId, "one");
    const from = author.device.frames.length;
    await Promise.all([
      ...[1, 2, 3, 4, 5].map((n) => say(owner, groupId, `before ${n}`)),
      ...[1, 2, 3].map((n) => edit(author, messageId, `edit ${n}`)),
      ...[1, 2, 3, 4, 5].map((n) => say(owner, groupId, `after ${n}`)),
    ]);
    await author.device.settle();
    const versions = author.device.frames.slice(from).flatMap(({ params }) => params.item?.version ?? []);
    expect(versions).toEqual(Array.from({ length: 13 }, (_, n) => version + 1 + n));
  });

  test("only who wrote a message may edit it, whatever the others' rights", async () => {
    const { groupId, owner, admin, author, member } = await wholeGroup();
    const { messageId } = await say(author, groupId, "mine");
    for (const role of [owner, admin, member]) {
      const answer = await role.device.requestError("editMessage", { messageId, content: "yours" });
      expect(answer).toMatchObject({ code: "FORBIDDEN" });
    }
    expect((await history(author, groupId)).at(-1)).toMatchObject({ message: "mine", editedAt: null });
  });

  test("the other side of a dialog may neither edit nor delete what one says", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId } = await sayTo(ann, bob, "mine");
    const edited = await bob.device.requestError("editMessage", { messageId, content: "yours" });
    expect(edited).toMatchObject({ code: "FORBIDDEN" });
    expect(await bob.device.requestError("deleteMessage", { messageId })).toMatchObject({ code: "FORBIDDEN" });
  });

  test("a deleted message cannot be edited", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId } = await sayTo(ann, bob, "gone");
    await takeBack(ann, messageId);
    const answer = await ann.device.requestError("editMessage", { messageId, content: "back" });
    expect(answer).toMatchObject({ code: "CONFLICT" });
  });

  test("an edited message shows everywhere as it is now", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId } = await sayTo(ann, bob, "helo");
    const { editedAt } = await edit(ann, messageId, "hello");
    const list = await bob.device.request("listLastMessage", { limit: 1, page: 1 });
    expect(list.params.data).toMatchObject([{ content: "hello", seq: 1, version: 2, chatVersion: 2, unread: 1 }]);
    const rows = await bob.device.request("getlatestMessageDialog", {
      receiverId: ann.person.id,
      limit: 5,
      page: 1,
    });
    expect(rows.params.data).toMatchObject([{ content: "hello", version: 2, editedAt, deletedAt: null }]);
  });

  test.each([
    ["an empty text", ""],
    ["a blank text", "   "],
    ["a text of 4,097 units", "x".repeat(4097)],
    ["a text with U+0000", "\u0000"],
    ["a text with half a character", "\ud800"],
  ])("%s may be edited in as little as sent", async (_what, content) => {
    const { ann, bob } = await twoPeople();
    const { messageId } = await sayTo(ann, bob, "Hi");
    expect(await ann.device.requestError("editMessage", { messageId, content })).toMatchObject({ code: "VALIDATION" });
  });
});

describe("deleting", () => {
  test.each(["author", "admin", "owner"] as const)("the %s may take a message of the group back", async (who) => {
    const group = await wholeGroup();
    const { groupId, author, member } = group;
    const { messageId, seq, version } = await say(author, groupId, "unkind words");
    const item = await takeBack(group[who], messageId);
    expect(item).toMatchObject({ messageId, seq, version: version + 1, message: "", senderId: author.person.id });
    expect(item.deletedAt).not.toBeNull();
    expect(await member.device.nextPush("deleteMessage")).toMatchObject({ params: { message: "", item } });
  });

  test("a member may not take back what another said", async () => {
    const { groupId, owner, member, author } = await wholeGroup();
    const { messageId } = await say(owner, groupId, "stays");
    for (const role of [member, author]) {
      expect(await role.device.requestError("deleteMessage", { messageId })).toMatchObject({ code: "FORBIDDEN" });
    }
  });

  test("an admin may take back what the owner said, and one who is no longer admin may not", async () => {
    const { groupId, owner, admin } = await wholeGroup();
    const first = await say(owner, groupId, "one");
    const second = await say(owner, groupId, "two");
    expect(await takeBack(admin, first.messageId)).toMatchObject({ message: "" });
    await owner.device.request("setMemberRole", { groupId, userId: admin.person.id, role: "member" });
    const answer = await admin.device.requestError("deleteMessage", { messageId: second.messageId });
    expect(answer).toMatchObject({ code: "FORBIDDEN" });
  });

  test("the text of a deleted message is in no row of the table any more", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId, chatId } = await sayTo(ann, bob, "a secret");
    await edit(ann, messageId, "a better secret");
    await takeBack(ann, messageId);
    const rows = await messenger().sql("SELECT * FROM messages WHERE chat_id = $chatId", { chatId });
    expect(rows).toMatchObject([{ content: "", seq: 1, version: 3 }]);
    expect(JSON.stringify(rows)).not.toContain("secret");
  });

  test("a deleted message keeps its row in every list, empty, and goes on being the last of its chat", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId, chatId } = await sayTo(ann, bob, "gone");
    const { deletedAt } = await takeBack(ann, messageId);
    const gone = { seq: 1, version: 2, deletedAt };
    const list = await bob.device.request("listLastMessage", { limit: 1, page: 1 });
    expect(list.params.data).toMatchObject([{ ...gone, content: "" }]);
    const page = { receiverId: ann.person.id, limit: 5, page: 1 };
    const rows = await bob.device.request("getlatestMessageDialog", page);
    expect(rows.params.data).toMatchObject([{ ...gone, content: "" }]);
    expect(await history(bob, chatId)).toMatchObject([{ ...gone, message: "" }]);
  });

  test("deleting twice is answered alike and changes nothing", async () => {
    const { groupId, owner, author, member } = await wholeGroup();
    const { messageId } = await say(author, groupId, "gone");
    const once = await takeBack(author, messageId);
    expect(await takeBack(author, messageId)).toEqual(once);
    expect(await takeBack(owner, messageId)).toEqual(once);
    const after = await say(author, groupId, "next");
    expect(after.version).toBe(once.version + 1);
    await member.device.settle();
    expect(member.device.pushes().filter(({ type }) => type === "deleteMessage")).toHaveLength(1);
  });

  test("two who delete one message at the same time both succeed, and it is one change", async () => {
    const { groupId, owner, author } = await wholeGroup();
    const { messageId, version } = await say(author, groupId, "gone");
    const items = await Promise.all([takeBack(author, messageId), takeBack(owner, messageId)]);
    expect(items.map((item) => item.version)).toEqual([version + 1, version + 1]);
  });
});

describe("who may not even know of a message", () => {
  test("strangers and those who left are answered as if it had never been", async () => {
    const { groupId, owner, author, exMember, stranger } = await wholeGroup();
    const { messageId } = await say(author, groupId, "ours");
    const own = await say(exMember, groupId, "mine");
    await owner.device.request("removeUserFromGroup", { groupId, userId: exMember.person.id });
    for (const [type, more] of [
      ["editMessage", { content: "mine" }],
      ["deleteMessage", {}],
    ] as const) {
      const unknown = await refusal(stranger, type, { messageId: unknownId, ...more });
      expect(unknown).toEqual({ ...noSuchMessage, type });
      expect(await refusal(stranger, type, { messageId, ...more })).toEqual(unknown);
      expect(await refusal(exMember, type, { messageId, ...more })).toEqual(unknown);
      expect(await refusal(exMember, type, { messageId: own.messageId, ...more })).toEqual(unknown);
    }
  });

  test("a message of a group that has ended is gone for its author too", async () => {
    const { groupId, owner, author } = await wholeGroup();
    const { messageId } = await say(author, groupId, "ours");
    await owner.device.request("deleteGroup", { groupId });
    const answer = await refusal(author, "deleteMessage", { messageId });
    expect(answer).toEqual({ ...noSuchMessage, type: "deleteMessage" });
  });

  test("a notification can be neither edited nor deleted, by nobody", async () => {
    const { groupId, owner, admin } = await wholeGroup();
    const [notification] = await history(owner, groupId);
    const messageId = notification?.messageId ?? 0;
    for (const role of [owner, admin]) {
      const edited = await role.device.requestError("editMessage", { messageId, content: "x" });
      expect(edited).toMatchObject({ code: "FORBIDDEN" });
      expect(await role.device.requestError("deleteMessage", { messageId })).toMatchObject({ code: "FORBIDDEN" });
    }
  });
});

describe("answering a message", () => {
  test("the reply shows the beginning of what it answers, to its sender, to others and in lists", async () => {
    const { groupId, author, member } = await wholeGroup();
    const { messageId } = await say(author, groupId, "what is for lunch?");
    const reply = await say(member, groupId, "soup", { replyTo: messageId });
    const replyTo = {
      messageId,
      senderId: author.person.id,
      senderName: "Anna",
      preview: "what is for lunch?",
      deletedAt: null,
    };
    expect(reply.replyTo).toEqual(replyTo);
    const push = await author.device.nextPush("messageInGroup");
    expect(push.params.item.replyTo).toEqual(replyTo);
    const rows = await author.device.request("getlatestMessageGroup", { groupId, limit: 1, page: 1 });
    expect(rows.params.data).toMatchObject([{ content: "soup", replyTo }]);
    expect((await history(author, groupId)).at(-1)).toEqual(reply);
  });

  test("what was edited shows its new beginning, and what was deleted none", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId, chatId } = await sayTo(ann, bob, "helo");
    await sayTo(bob, ann, "hi", { replyTo: messageId });
    await edit(ann, messageId, "hello");
    expect((await history(bob, chatId)).at(-1)?.replyTo).toMatchObject({ preview: "hello", deletedAt: null });
    const { deletedAt } = await takeBack(ann, messageId);
    expect((await history(bob, chatId)).at(-1)?.replyTo).toMatchObject({ messageId, preview: "", deletedAt });
  });

  test("a reply that is edited before delivery has read what it answers is told as it was sent, and then as edited", async () => {
    const { ann, bob } = await twoPeople();
    const first = await sayTo(bob, ann, "How are you?");
    const annsOther = await ann.person.connect();
    const { db } = messenger();
    const query = db.query.bind(db) as (...asked: unknown[]) => Promise<never>;
    const spy = jest.spyOn(db, "query").mockImplementation(async (...asked) => {
      if (!String(asked[0]).includes("AS wanted (id, place)")) return query(...asked);
      spy.mockRestore();
      const [sent] = await messenger().sql<{ id: number }>("SELECT max(id) AS id FROM messages");
      annsOther.send({ type: "editMessage", params: { messageId: sent?.id, content: "Fine, thanks" } });
      const isEdited = "SELECT 1 FROM messages WHERE id = $id AND edited_at IS NOT NULL";
      for (let looks = 0; (await messenger().sql(isEdited, { id: sent?.id })).length === 0; looks++) {
        if (looks === 10_000) throw new Error("it was not edited");
      }
      return query(...asked);
    });
    const answer = await sayTo(ann, bob, "Fine", { replyTo: first.messageId });
    const asSent = { message: "Fine", version: 2, editedAt: null, replyTo: { preview: "How are you?" } };
    expect(answer).toMatchObject(asSent);
    const asEdited = { ...asSent, message: "Fine, thanks", version: 3, editedAt: expect.any(String) };
    expect(await bob.device.nextPush()).toMatchObject({ type: "privateMessage", params: { item: asSent } });
    expect(await bob.device.nextPush()).toMatchObject({ type: "editMessage", params: { item: asEdited } });
  });

  test("a deleted message can be answered, and shows nothing", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId } = await sayTo(ann, bob, "gone");
    const { deletedAt } = await takeBack(ann, messageId);
    const reply = await sayTo(bob, ann, "why?", { replyTo: messageId });
    expect(reply.replyTo).toMatchObject({ preview: "", deletedAt });
  });

  test("a notification can be answered, and shows its text", async () => {
    const { groupId, owner, member } = await wholeGroup();
    const [notification] = await history(owner, groupId);
    const reply = await say(member, groupId, "thank you", { replyTo: notification?.messageId ?? 0 });
    expect(reply.replyTo?.preview).toBe(notification?.message);
    expect(reply.replyTo?.preview).toContain("Olga");
  });

  test("what a deleted account said is answered under no name", async () => {
    const { groupId, author, member } = await wholeGroup();
    const { messageId } = await say(author, groupId, "goodbye");
    await say(member, groupId, "farewell", { replyTo: messageId });
    const { status } = await messenger().http("DELETE", "/users/me", {
      token: author.person.token,
      body: { password },
    });
    expect(status).toBe(204);
    const reply = (await history(member, groupId)).find(({ message }) => message === "farewell");
    expect(reply?.replyTo).toMatchObject({ senderName: "Deleted user", preview: "goodbye" });
    const again = await say(member, groupId, "once more", { replyTo: messageId });
    expect(again.replyTo).toMatchObject({ senderName: "Deleted user" });
    expect(JSON.stringify(await history(member, groupId))).not.toContain("Anna");
  });

  test("a message of another chat and one that never was cannot be answered, and look alike", async () => {
    const { groupId, author, member } = await wholeGroup();
    const { ann, bob } = await twoPeople();
    const elsewhere = await sayTo(ann, bob, "private");
    const own = await sayTo(author, member, "ours alone");
    for (const replyTo of [unknownId, elsewhere.messageId, own.messageId]) {
      const answer = await refusal(author, "messageInGroup", { groupId, content: "what?", replyTo });
      expect(answer).toEqual({ ...noSuchMessage, type: "messageInGroup" });
    }
    const inDialog = await refusal(ann, "privateMessage", {
      receiverId: bob.person.id,
      content: "what?",
      replyTo: own.messageId,
    });
    expect(inDialog).toEqual({ ...noSuchMessage, type: "privateMessage" });
    expect((await history(author, groupId)).some(({ message }) => message === "what?")).toBe(false);
  });

  test("the first message to somebody cannot answer one of another chat", async () => {
    const { ann, bob } = await twoPeople();
    const carl = await someone("Carl");
    const { messageId } = await sayTo(ann, bob, "Hi");
    const params = { receiverId: carl.person.id, content: "what?", replyTo: messageId };
    expect(await refusal(ann, "privateMessage", params)).toMatchObject({ code: "NOT_FOUND" });
    const list = await carl.device.request("listLastMessage", { limit: 5, page: 1 });
    expect(list.params.data).toEqual([]);
  });

  test("a beginning ends at a hundred units, before a character that does not fit whole", async () => {
    const { ann, bob } = await twoPeople();
    const whole = await sayTo(ann, bob, `${"a".repeat(98)}😀b`);
    const cut = await sayTo(ann, bob, `${"a".repeat(99)}😀b`);
    const first = await sayTo(bob, ann, "one", { replyTo: whole.messageId });
    const second = await sayTo(bob, ann, "two", { replyTo: cut.messageId });
    expect(first.replyTo?.preview).toBe(`${"a".repeat(98)}😀`);
    expect(second.replyTo?.preview).toBe("a".repeat(99));
  });
});

describe("a send that is repeated", () => {
  const clientMessageId = "one-and-only";

  test("with another message to answer it is another message", async () => {
    const { ann, bob } = await twoPeople();
    const first = await sayTo(ann, bob, "one");
    const second = await sayTo(ann, bob, "two");
    const words = { receiverId: bob.person.id, content: "reply", clientMessageId };
    const stored = await ann.device.request("privateMessage", { ...words, replyTo: first.messageId });
    for (const other of [{ replyTo: second.messageId }, {}]) {
      const answer = await ann.device.requestError("privateMessage", { ...words, ...other });
      expect(answer).toMatchObject({ code: "CONFLICT" });
    }
    const repeated = await ann.device.request("privateMessage", { ...words, replyTo: first.messageId });
    expect(repeated.params.item).toEqual({ ...stored.params.item, duplicate: true });
  });

  test("after the message was edited it is answered with the edited one, and nothing is stored", async () => {
    const { ann, bob } = await twoPeople();
    const words = { receiverId: bob.person.id, content: "helo", clientMessageId };
    const { messageId, chatId } = (await ann.device.request("privateMessage", words)).params.item;
    const edited = await edit(ann, messageId, "hello");
    const repeated = await ann.device.request("privateMessage", words);
    expect(repeated.params.item).toEqual({ ...edited, duplicate: true });
    expect(await history(bob, chatId)).toHaveLength(1);
  });

  test("after the message was deleted it is answered with the empty one, and does not bring it back", async () => {
    const { ann, bob } = await twoPeople();
    const words = { receiverId: bob.person.id, content: "gone", clientMessageId };
    const { messageId, chatId } = (await ann.device.request("privateMessage", words)).params.item;
    const deleted = await takeBack(ann, messageId);
    const repeated = await ann.device.request("privateMessage", words);
    expect(repeated.params.item).toEqual({ ...deleted, duplicate: true });
    expect(await history(bob, chatId)).toMatchObject([{ message: "", deletedAt: deleted.deletedAt }]);
  });
});

describe("what one may still do about messages to somebody who blocks", () => {
  test("they cannot be edited any more, and can be taken back", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId, chatId } = await sayTo(ann, bob, "Hi");
    const path = `/users/me/blocks/${ann.person.id}`;
    expect((await messenger().http("PUT", path, { token: bob.person.token })).status).toBe(204);

    const answer = await refusal(ann, "editMessage", { messageId, content: "you fool" });
    expect(answer).toEqual({ error: true, type: "editMessage", message: "There is no such user", code: "NOT_FOUND" });
    expect(await history(bob, chatId)).toMatchObject([{ message: "Hi", editedAt: null }]);

    expect(await takeBack(ann, messageId)).toMatchObject({ message: "" });
    expect(await bob.device.nextPush("deleteMessage")).toMatchObject({ params: { item: { messageId } } });
  });

  test("the one who blocks goes on editing what was said before", async () => {
    const { ann, bob } = await twoPeople();
    const { messageId } = await sayTo(bob, ann, "Hi");
    await messenger().http("PUT", `/users/me/blocks/${ann.person.id}`, { token: bob.person.token });
    expect(await edit(bob, messageId, "Hello")).toMatchObject({ message: "Hello" });
  });
});
