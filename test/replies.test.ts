import { describe, expect, jest, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  chatHistory,
  createGroup,
  deleteAccount,
  errorOf,
  listChats,
  participant,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/* Replies: the preview of the original, and what may be replied to. */

const messenger = useMessenger();

/** A group of an owner, Olga, and two members, of whom Anna is the author of the original. */
async function groupOfThree() {
  const owner = await participant(messenger(), { firstName: "Olga" });
  const author = await participant(messenger(), { firstName: "Anna" });
  const member = await participant(messenger());
  const groupId = await createGroup(owner.device, [author, member]);
  return { groupId, owner, author, member };
}

const noSuchMessage = { error: true, message: "There is no such message", code: "NOT_FOUND" };

describe("replying to a message", () => {
  test("the reply carries a preview of the original, for its sender, for others and in lists", async () => {
    const { groupId, author, member } = await groupOfThree();
    const { messageId, seq } = await sendToGroup(author.device, groupId, "what is for lunch?");
    const reply = await sendToGroup(member.device, groupId, "soup", { replyTo: messageId });
    const replyTo = {
      messageId,
      seq,
      senderId: author.id,
      senderName: "Anna",
      preview: "what is for lunch?",
      deletedAt: null,
    };
    expect(reply.replyTo).toEqual(replyTo);
    const push = await author.device.nextPush("messageInGroup");
    expect(push.params.item.replyTo).toEqual(replyTo);
    const rows = await author.device.request("getlatestMessageGroup", { groupId, limit: 1, page: 1 });
    expect(rows.params.data).toMatchObject([{ content: "soup", replyTo }]);
    expect((await chatHistory(author.device, groupId)).at(-1)).toEqual(reply);
  });

  test("the preview follows an edit of the original and is empty after its deletion", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId, chatId } = await sendPrivately(ann.device, bob.id, "helo");
    await sendPrivately(bob.device, ann.id, "hi", { replyTo: messageId });
    await ann.device.request("editMessage", { messageId, content: "hello" });
    expect((await chatHistory(bob.device, chatId)).at(-1)?.replyTo).toMatchObject({
      preview: "hello",
      deletedAt: null,
    });
    const { deletedAt } = (await ann.device.request("deleteMessage", { messageId })).params.item;
    expect((await chatHistory(bob.device, chatId)).at(-1)?.replyTo).toMatchObject({
      messageId,
      preview: "",
      deletedAt,
    });
  });

  test("a reply that is edited before delivery has read its original is pushed as sent and then as edited", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const first = await sendPrivately(bob.device, ann.id, "How are you?");
    const annsOther = await ann.connect();
    const { db } = messenger();
    const query = db.query.bind(db) as (...parameters: unknown[]) => Promise<never>;
    const spy = jest.spyOn(db, "query").mockImplementation(async (...parameters) => {
      if (!String(parameters[0]).includes("AS wanted (id, place)")) return query(...parameters);
      spy.mockRestore();
      const [sent] = await messenger().sql<{ id: number }>("SELECT max(id) AS id FROM messages");
      annsOther.send({ type: "editMessage", params: { messageId: sent?.id, content: "Fine, thanks" } });
      const isEdited = "SELECT 1 FROM messages WHERE id = $id AND edited_at IS NOT NULL";
      for (let attempt = 0; (await messenger().sql(isEdited, { id: sent?.id })).length === 0; attempt++) {
        if (attempt === 10_000) throw new Error("the message was not edited");
      }
      return query(...parameters);
    });
    const answer = await sendPrivately(ann.device, bob.id, "Fine", { replyTo: first.messageId });
    const asSent = { message: "Fine", version: 2, editedAt: null, replyTo: { preview: "How are you?" } };
    expect(answer).toMatchObject(asSent);
    const asEdited = { ...asSent, message: "Fine, thanks", version: 3, editedAt: expect.any(String) };
    expect(await bob.device.nextPush()).toMatchObject({ type: "privateMessage", params: { item: asSent } });
    expect(await bob.device.nextPush()).toMatchObject({ type: "editMessage", params: { item: asEdited } });
  });

  test("a deleted message can be replied to, with an empty preview", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const { messageId } = await sendPrivately(ann.device, bob.id, "gone");
    const { deletedAt } = (await ann.device.request("deleteMessage", { messageId })).params.item;
    const reply = await sendPrivately(bob.device, ann.id, "why?", { replyTo: messageId });
    expect(reply.replyTo).toMatchObject({ preview: "", deletedAt });
  });

  test("a system message can be replied to, with its text as preview", async () => {
    const { groupId, owner, member } = await groupOfThree();
    const [notification] = await chatHistory(owner.device, groupId);
    const reply = await sendToGroup(member.device, groupId, "thank you", { replyTo: notification?.messageId ?? 0 });
    expect(reply.replyTo?.preview).toBe(notification?.message);
    expect(reply.replyTo?.preview).toContain("Olga");
  });

  test("a reply to a message of a deleted account shows no name", async () => {
    const { groupId, author, member } = await groupOfThree();
    const { messageId } = await sendToGroup(author.device, groupId, "goodbye");
    await sendToGroup(member.device, groupId, "farewell", { replyTo: messageId });
    await deleteAccount(messenger(), author);
    const reply = (await chatHistory(member.device, groupId)).find(({ message }) => message === "farewell");
    expect(reply?.replyTo).toMatchObject({ senderName: "Deleted user", preview: "goodbye" });
    const again = await sendToGroup(member.device, groupId, "once more", { replyTo: messageId });
    expect(again.replyTo).toMatchObject({ senderName: "Deleted user" });
    expect(JSON.stringify(await chatHistory(member.device, groupId))).not.toContain("Anna");
  });

  test("replying to a message of another chat gets the same error as for an unknown message", async () => {
    const { groupId, author, member } = await groupOfThree();
    const { ann, bob } = await annAndBob(messenger());
    const elsewhere = await sendPrivately(ann.device, bob.id, "private");
    const own = await sendPrivately(author.device, member.id, "ours alone");
    for (const replyTo of [unknownId, elsewhere.messageId, own.messageId]) {
      const answer = await errorOf(author.device, "messageInGroup", { groupId, content: "what?", replyTo });
      expect(answer).toEqual({ ...noSuchMessage, type: "messageInGroup" });
    }
    const inDialog = await errorOf(ann.device, "privateMessage", {
      receiverId: bob.id,
      content: "what?",
      replyTo: own.messageId,
    });
    expect(inDialog).toEqual({ ...noSuchMessage, type: "privateMessage" });
    expect((await chatHistory(author.device, groupId)).some(({ message }) => message === "what?")).toBe(false);
  });

  test("the first message of a dialog cannot reply to a message of another chat", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const carl = await participant(messenger(), { firstName: "Carl" });
    const { messageId } = await sendPrivately(ann.device, bob.id, "Hi");
    const params = { receiverId: carl.id, content: "what?", replyTo: messageId };
    expect(await errorOf(ann.device, "privateMessage", params)).toMatchObject({ code: "NOT_FOUND" });
    expect(await listChats(carl.device)).toEqual([]);
  });

  test("a preview ends at a hundred UTF-16 units, before a character that does not fit as a whole", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const whole = await sendPrivately(ann.device, bob.id, `${"a".repeat(98)}😀b`);
    const cut = await sendPrivately(ann.device, bob.id, `${"a".repeat(99)}😀b`);
    const first = await sendPrivately(bob.device, ann.id, "one", { replyTo: whole.messageId });
    const second = await sendPrivately(bob.device, ann.id, "two", { replyTo: cut.messageId });
    expect(first.replyTo?.preview).toBe(`${"a".repeat(98)}😀`);
    expect(second.replyTo?.preview).toBe("a".repeat(99));
  });
});
