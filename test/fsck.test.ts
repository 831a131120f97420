import { describe, expect, test } from "@jest/globals";
import { findViolations } from "../src/db/queries/fsck/fsck.ts";
import { fromCommandLine } from "../src/domain/administration.ts";
import { repair } from "../src/services/administration/maintenance.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, participant, sendPrivately, sendToGroup } from "./support/scenes.ts";

const messenger = useMessenger();

/** A group of three with some messages, and a dialog. */
async function scene() {
  const [ann, bob, clara] = [
    await participant(messenger()),
    await participant(messenger()),
    await participant(messenger()),
  ];
  const groupId = await createGroup(ann.device, [bob, clara]);
  const { messageId } = await sendToGroup(ann.device, groupId, "first");
  await sendToGroup(bob.device, groupId, "second", { replyTo: messageId });
  const dialog = await sendPrivately(ann.device, bob.id, "hello");
  await bob.device.request("react", { messageId: dialog.messageId, emoji: "👍", on: true });
  await bob.device.request("pinMessage", { messageId: dialog.messageId, on: true });
  return { ann, bob, clara, groupId, messageId, dialogId: dialog.chatId };
}

const check = (chatId?: number) => findViolations(messenger().db, chatId);

describe("fsck", () => {
  test("finds nothing in what the server has written", async () => {
    const { groupId } = await scene();
    expect(await check(groupId)).toEqual({ violations: [], chats: 1 });
    const whole = await check();
    expect(whole.violations).toEqual([]);
    expect(whole.chats).toBeGreaterThanOrEqual(2);
  });

  test.each<[invariant: string, corruption: string]>([
    ["seq-dense", "UPDATE messages SET seq = seq + 100, version = version + 100 WHERE chat_id = $groupId AND seq = 4"],
    ["version-newest", "UPDATE chats SET version = version + 1 WHERE id = $groupId"],
    ["version-not-below-seq", "UPDATE messages SET seq = seq + 100 WHERE chat_id = $groupId AND seq = 5"],
    ["last-message", "UPDATE chats SET last_message_id = $messageId WHERE id = $groupId"],
    ["marks-not-beyond-end", "UPDATE chat_members SET read_seq = 1000 WHERE chat_id = $groupId AND user_id = $bob"],
    [
      "marks-not-beyond-end",
      "UPDATE chat_members SET cleared_seq = read_seq + 1 WHERE chat_id = $dialogId AND user_id = $ann",
    ],
    ["dialog-pair", "DELETE FROM chat_members WHERE chat_id = $dialogId AND user_id = $bob"],
    ["group-has-one-owner", "UPDATE chat_members SET role = 'owner' WHERE chat_id = $groupId AND user_id = $bob"],
    ["group-has-one-owner", "UPDATE chat_members SET role = 'member' WHERE chat_id = $groupId"],
    ["ended-chat-has-no-members", "UPDATE chats SET deleted_at = now() WHERE id = $groupId"],
    ["reply-in-same-chat", "UPDATE messages SET reply_to = 999999999 WHERE chat_id = $groupId AND seq = 4"],
    [
      "reaction-to-shown-message",
      "INSERT INTO message_reactions SELECT id, sender_id, '👍' FROM messages WHERE chat_id = $groupId AND seq = 1",
    ],
    [
      "pin-of-shown-message",
      "INSERT INTO chat_pins SELECT id, chat_id, sender_id FROM messages WHERE chat_id = $groupId",
    ],
  ])("finds a violation of %s", async (invariant, corruption) => {
    const { ann, bob, groupId, dialogId, messageId } = await scene();
    const chatId = corruption.includes("$dialogId") ? dialogId : groupId;
    const values = Object.entries({ groupId, dialogId, messageId, ann: ann.id, bob: bob.id });
    await messenger().sql(corruption, Object.fromEntries(values.filter(([name]) => corruption.includes(`$${name}`))));
    const { violations } = await check(chatId);
    expect(violations).toContainEqual(expect.objectContaining({ invariant, chatId }));
  });

  test("finds members of deleted accounts in whole tables", async () => {
    const { clara, groupId } = await scene();
    await messenger().sql(
      `UPDATE users SET deleted_at = now(), email = NULL, email_key = NULL, password_hash = NULL, first_name = NULL,
              last_name = NULL, first_name_key = NULL, last_name_key = NULL WHERE id = $id`,
      { id: clara.id },
    );
    const { violations } = await check();
    const expected = { invariant: "member-has-chat-and-user", chatId: groupId, userId: clara.id };
    expect(violations).toContainEqual(expected);
  });

  test("raises counters that are too low, and begins a new epoch", async () => {
    const { groupId } = await scene();
    await messenger().sql("UPDATE chats SET last_seq = 1, version = 1, last_message_id = NULL WHERE id = $groupId", {
      groupId,
    });
    const [before] = await messenger().sql("SELECT epoch FROM server_state");
    expect((await check(groupId)).violations).not.toEqual([]);
    expect(await repair(messenger().db, fromCommandLine, groupId)).toBe(1);
    const { violations } = await check(groupId);
    expect(violations.filter(({ invariant }) => invariant !== "marks-not-beyond-end")).toEqual([]);
    expect(await messenger().sql("SELECT epoch FROM server_state")).not.toEqual([before]);
    expect(await messenger().sql("SELECT source, action, details FROM audit_log")).toEqual([
      { source: "cli", action: "data.repair", details: { chats: 1, chatIds: [groupId] } },
    ]);
  });
});
