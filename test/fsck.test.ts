import { afterEach, describe, expect, test } from "@jest/globals";
import { readEpoch } from "../src/db/queries/epoch.ts";
import { findViolations } from "../src/db/queries/fsck/fsck.ts";
import { repair } from "../src/db/queries/fsck/repair.ts";
import { selectOn } from "../src/db/select.ts";
import { onServer } from "./support/databases.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, participant, sendPrivately, sendToGroup } from "./support/scenes.ts";
import { until } from "./support/until.ts";

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
  await bob.device.request("forwardMessage", { messageId: dialog.messageId, groupId });
  await ann.device.request("setState", { key: "preferences", value: { theme: "dark" } });
  return { ann, bob, clara, groupId, messageId, dialogId: dialog.chatId };
}

const check = (chatId?: number) => findViolations(messenger().db, chatId);

// The server follows a new epoch within a second, and then disconnects everybody: not the people of the next test.
afterEach(() =>
  until(async () => {
    const { body } = await messenger().http("GET", "/api/info");
    return body.epoch === (await readEpoch(selectOn(messenger().db)));
  }),
);

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
    [
      "text-of-shown-message",
      `WITH indexed AS (
              INSERT INTO chat_texts (chat_id, version) VALUES ($groupId, 1000)
              ON CONFLICT (chat_id) DO UPDATE SET version = 1000 RETURNING 1
            )
       DELETE FROM message_texts WHERE chat_id = $groupId`,
    ],
    [
      "mentions-of-shown-message",
      "INSERT INTO message_mentions SELECT sender_id, chat_id, seq, id FROM messages WHERE chat_id = $groupId AND seq = 4",
    ],
    [
      "mentions-of-shown-message",
      `UPDATE messages SET mentions = '[{"userId": 999999999, "offset": 0, "length": 1}]' WHERE chat_id = $groupId AND seq = 4`,
    ],
    ["mentions-of-shown-message", "UPDATE messages SET mentions_all = true WHERE chat_id = $groupId AND seq = 1"],
  ])("finds a violation of %s", async (invariant, corruption) => {
    const { ann, bob, groupId, dialogId, messageId } = await scene();
    const chatId = corruption.includes("$dialogId") ? dialogId : groupId;
    const values = Object.entries({ groupId, dialogId, messageId, ann: ann.id, bob: bob.id });
    await messenger().sql(corruption, Object.fromEntries(values.filter(([name]) => corruption.includes(`$${name}`))));
    const { violations } = await check(chatId);
    expect(violations).toContainEqual(expect.objectContaining({ invariant, chatId }));
  });

  test("finds messages of the same version", async () => {
    const { groupId } = await scene();
    await messenger().sql("ALTER TABLE messages DROP CONSTRAINT messages_version_unique");
    try {
      await messenger().sql("UPDATE messages SET version = 4 WHERE chat_id = $groupId AND seq = 3", { groupId });
      const { violations } = await check(groupId);
      expect(violations).toContainEqual({ invariant: "version-unique", chatId: groupId, version: 4, messages: 2 });
    } finally {
      await messenger().sql("UPDATE messages SET version = 3 WHERE chat_id = $groupId AND seq = 3", { groupId });
      await messenger().sql("ALTER TABLE messages ADD CONSTRAINT messages_version_unique UNIQUE (chat_id, version)");
    }
  });

  /** Corrupts what a foreign key protects: its triggers are disabled meanwhile. */
  async function corrupt(table: string, sql: string, values: Record<string, unknown>): Promise<void> {
    await messenger().sql(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
    await messenger().sql(sql, values);
    await messenger().sql(`ALTER TABLE ${table} ENABLE TRIGGER ALL`);
  }

  test.each<[what: string, table: string, corruption: string, found: object]>([
    [
      "a session without a user",
      "sessions",
      "UPDATE sessions SET user_id = 999999999 WHERE id = (SELECT max(id) FROM sessions WHERE user_id = $ann)",
      { invariant: "reference-exists", userId: 999_999_999 },
    ],
    [
      "a block of nobody",
      "blocks",
      "INSERT INTO blocks (user_id, blocked_id) VALUES ($ann, 999999998)",
      { invariant: "reference-exists", blockedId: 999_999_998 },
    ],
    [
      "a member of no chat",
      "chat_members",
      "INSERT INTO chat_members (user_id, chat_id) VALUES ($ann, 999999997)",
      { invariant: "member-has-chat-and-user", chatId: 999_999_997 },
    ],
    [
      "a message of no chat",
      "messages",
      `INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
       VALUES (999999996, 1, 1, $ann, 'lost', now())`,
      { invariant: "message-has-chat", chatId: 999_999_996 },
    ],
  ])("finds and lists %s, and deletes it when it is to", async (_what, table, corruption, found) => {
    const { ann } = await scene();
    await corrupt(table, corruption, { ann: ann.id });
    const expected = expect.objectContaining({ ...found, table });
    expect((await check()).violations).toContainEqual(expected);
    expect(await repair(messenger().db)).toMatchObject({ orphans: [expected], areOrphansDeleted: false });
    expect((await check()).violations).toContainEqual(expected);
    const [before] = await messenger().sql("SELECT epoch FROM server_state");
    expect((await repair(messenger().db, { deletesOrphans: true })).orphans).toEqual([expected]);
    const audited = "SELECT details FROM audit_log WHERE action = 'data.repair' ORDER BY id DESC LIMIT 1";
    expect(await messenger().sql(audited)).toEqual([
      { details: { chats: 0, chatIds: [], sequences: 0, deletedRows: 1 } },
    ]);
    expect((await check()).violations).not.toContainEqual(expected);
    expect(await messenger().sql("SELECT epoch FROM server_state")).not.toEqual([before]);
    expect(await ann.device.closed).toMatchObject({ code: 1012 });
  });

  test("finds messages of nobody and chats of nobody, and never deletes them", async () => {
    const { groupId, dialogId } = await scene();
    await messenger().sql("UPDATE messages SET sender_id = 999999995 WHERE chat_id = $groupId AND seq = 4", {
      groupId,
    });
    await corrupt("chats", "UPDATE chats SET pair_high = 999999999999994 WHERE id = $dialogId", { dialogId });
    const { violations } = await check();
    const sender = expect.objectContaining({ invariant: "message-has-sender", chatId: groupId, senderId: 999_999_995 });
    const pair = expect.objectContaining({ invariant: "reference-exists", table: "chats", id: dialogId });
    for (const expected of [sender, pair]) expect(violations).toContainEqual(expected);
    expect((await repair(messenger().db, { deletesOrphans: true })).orphans).toEqual([]);
    const after = (await check()).violations;
    for (const expected of [sender, pair]) expect(after).toContainEqual(expected);
  });

  test("finds forwarded messages whose first author is missing, and never deletes them", async () => {
    const { groupId } = await scene();
    for (const author of ["999999994", "NULL"]) {
      const corruption = `UPDATE messages SET first_author_id = ${author} WHERE chat_id = $groupId AND seq = 6`;
      await messenger().sql(corruption, { groupId });
      const expected = expect.objectContaining({ invariant: "forwarded-message-has-author", chatId: groupId });
      expect((await check()).violations).toContainEqual(expected);
      expect((await repair(messenger().db, { deletesOrphans: true })).orphans).toEqual([]);
      expect((await check()).violations).toContainEqual(expected);
    }
  });

  test("finds active sessions of deleted accounts", async () => {
    const { clara } = await scene();
    await messenger().sql(erase, { id: clara.id });
    const expected = expect.objectContaining({ invariant: "deleted-user-has-no-session", userId: clara.id });
    expect((await check()).violations).toContainEqual(expected);
  });

  test.each<[invariant: string, corruption: string]>([
    ["state-version-newest", "UPDATE user_state SET version = 7 WHERE user_id = $ann"],
    ["state-after-forgotten", "UPDATE users SET state_pruned_version = 1 WHERE id = $ann"],
    ["deleted-user-has-no-state", "UPDATE user_state SET user_id = $clara WHERE user_id = $ann"],
  ])("finds a violation of %s", async (invariant, corruption) => {
    const { ann, clara } = await scene();
    if (corruption.includes("$clara")) await messenger().sql(erase, { id: clara.id });
    const values = Object.entries({ ann: ann.id, clara: clara.id });
    await messenger().sql(corruption, Object.fromEntries(values.filter(([name]) => corruption.includes(`$${name}`))));
    const userId = corruption.includes("$clara") ? clara.id : ann.id;
    expect((await check()).violations).toContainEqual(expect.objectContaining({ invariant, userId }));
  });

  test("finds sequences behind the ids of their table, and raises them", async () => {
    await scene();
    const [row] = await messenger().sql<{ last: number }>(
      "SELECT setval('messages_id_seq', max(id) - 1) AS last FROM messages",
    );
    const low = { invariant: "sequence-not-below-ids", sequence: "messages_id_seq", last: row?.last };
    expect((await check()).violations).toContainEqual({ ...low, maxId: Number(row?.last) + 1 });
    expect((await repair(messenger().db)).sequences).toBe(1);
    const { violations } = await check();
    expect(violations.filter(({ invariant }) => invariant === "sequence-not-below-ids")).toEqual([]);
  });

  (onServer ? test : test.skip)("finds a damaged index where amcheck is installed", async () => {
    await messenger().sql("CREATE EXTENSION IF NOT EXISTS amcheck");
    // An index whose order is not the one that its operators have now.
    await messenger().sql(`
      CREATE FUNCTION order_of(a bigint, b bigint) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN btint8cmp(a, b); END';
      CREATE OPERATOR CLASS odd_order FOR TYPE bigint USING btree AS
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 order_of(bigint, bigint);
      CREATE INDEX users_damaged ON users (id odd_order);
      CREATE OR REPLACE FUNCTION order_of(a bigint, b bigint) RETURNS int IMMUTABLE LANGUAGE plpgsql
        AS 'BEGIN RETURN btint8cmp(b, a); END';`);
    const expected = expect.objectContaining({ invariant: "index-consistent", index: "users_damaged" });
    expect((await check()).violations).toContainEqual(expected);
    await messenger().sql("DROP INDEX users_damaged");
  });

  const erase = `UPDATE users SET deleted_at = now(), email = NULL, email_key = NULL, password_hash = NULL,
                        first_name = NULL, last_name = NULL, first_name_key = NULL, last_name_key = NULL WHERE id = $id`;

  test("finds members of deleted accounts in whole tables", async () => {
    const { clara, groupId } = await scene();
    await messenger().sql(erase, { id: clara.id });
    const { violations } = await check();
    const expected = {
      table: "chat_members",
      invariant: "member-has-chat-and-user",
      chatId: groupId,
      userId: clara.id,
    };
    expect(violations).toContainEqual(expected);
  });

  test("raises counters that are too low, and begins a new epoch", async () => {
    const { groupId } = await scene();
    await messenger().sql("UPDATE chats SET last_seq = 1, version = 1, last_message_id = NULL WHERE id = $groupId", {
      groupId,
    });
    const [before] = await messenger().sql("SELECT epoch FROM server_state");
    expect((await check(groupId)).violations).not.toEqual([]);
    expect((await repair(messenger().db, { chatId: groupId })).repaired).toBe(1);
    const { violations } = await check(groupId);
    expect(violations.filter(({ invariant }) => invariant !== "marks-not-beyond-end")).toEqual([]);
    expect(await messenger().sql("SELECT epoch FROM server_state")).not.toEqual([before]);
    const audited = "SELECT source, action, details FROM audit_log ORDER BY id DESC LIMIT 1";
    const details = { chats: 1, chatIds: [groupId], sequences: 0, deletedRows: 0 };
    expect(await messenger().sql(audited)).toEqual([{ source: "cli", action: "data.repair", details }]);
  });
});
