import { describe, expect, test } from "@jest/globals";
import type { MessageItem } from "../src/contract/messages.ts";
import { admin, audited } from "./support/admin.ts";
import { clearPushes, pushesTo } from "./support/group-scene.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  chatHistory,
  createGroup,
  deleteAccount,
  numbers,
  participants,
  sendPrivately,
  sendToGroup,
} from "./support/scenes.ts";

/* The deletion of all messages of somebody. */

const messenger = useMessenger();

const erase = async ({ id }: { id: number }) => {
  const { token } = await admin(messenger());
  return messenger().http("DELETE", `/admin/users/${id}?erase=true`, { token });
};

/** Waits until nothing is left to delete. */
async function erased(): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    if ((await messenger().sql("SELECT FROM message_erasures")).length === 0) return;
    expect(attempt).toBeLessThan(20_000);
  }
}

const deletion = { kind: "delete", by: null };
const textsOf = (items: readonly MessageItem[]) => items.filter(({ event }) => !event).map(({ message }) => message);

describe("an account that is deleted with its messages", () => {
  test("has no message left in any chat, also not where it has left, and every device forgets them", async () => {
    const [ann, bob, clara] = await participants(messenger(), 1, 2, 1);
    const groupId = await createGroup(bob.device, [ann, clara], "kept");
    const leftId = await createGroup(bob.device, [ann, clara], "left");
    for (const n of numbers(1, 130)) await sendToGroup(ann.device, groupId, `of ann ${n}`);
    await sendToGroup(ann.device, leftId, "before leaving");
    await sendToGroup(bob.device, leftId, "of bob");
    await ann.device.request("leaveGroup", { groupId: leftId });
    const { chatId } = await sendPrivately(ann.device, bob.id, "privately");
    await sendPrivately(bob.device, ann.id, "an answer");
    await sendPrivately(ann.device, ann.id, "to myself");
    const { messageId } = await sendToGroup(ann.device, groupId, "deleted by herself");
    await ann.device.request("deleteMessage", { messageId });
    await clearPushes([bob, clara]);

    expect(await erase(ann)).toMatchObject({ status: 202, body: "" });
    expect(await ann.device.closed).toMatchObject({ code: 4403 });
    await erased();

    const texts = await messenger().sql<{ content: string }>(
      "SELECT content FROM messages WHERE sender_id = $id AND content <> ''",
      { id: ann.id },
    );
    expect(texts).toEqual([]);
    expect(textsOf(await chatHistory(bob.device, leftId))).toEqual(["", "of bob"]);
    expect(textsOf(await chatHistory(bob.device, chatId))).toEqual(["", "an answer"]);
    for (const device of [...bob.devices, clara.device]) {
      const pushed = (await pushesTo(device)).filter(({ type }) => type === "deleteMessage");
      const items = pushed.map(({ params }) => params.item as MessageItem).filter((item) => item.chatId === groupId);
      expect(items).toHaveLength(130);
      expect(items.every(({ change, message }) => change?.kind === "delete" && change.by === null && !message)).toBe(
        true,
      );
      const versions = items.map(({ version }) => version);
      expect(versions).toEqual(numbers(versions[0] ?? 0, versions.at(-1) ?? 0));
    }
    // What she deleted herself says so still.
    const byHerself = (await chatHistory(bob.device, groupId)).find((item) => item.messageId === messageId);
    expect(byHerself?.change).toEqual({ kind: "delete", by: ann.id });
    expect((await chatHistory(bob.device, chatId))[0]?.change).toEqual(deletion);
    expect((await audited(messenger(), ann)).map(({ action }) => action)).toEqual(["user.delete", "user.erase"]);
  });

  test("can have been deleted before", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const { chatId } = await sendPrivately(ann.device, bob.id, "what is left");
    await deleteAccount(messenger(), ann);
    expect(textsOf(await chatHistory(bob.device, chatId))).toEqual(["what is left"]);
    expect((await erase(ann)).status).toBe(202);
    await erased();
    expect(textsOf(await chatHistory(bob.device, chatId))).toEqual([""]);
  });

  test("leaves the numbers of its chats dense", async () => {
    const rows = await messenger().sql(
      `SELECT c.id FROM chats AS c JOIN messages AS m ON m.chat_id = c.id
        GROUP BY c.id HAVING c.version <> max(m.version) OR c.last_seq <> max(m.seq) OR c.last_seq <> count(*)`,
    );
    expect(rows).toEqual([]);
  });
});
