import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import { Cluster } from "./support/cluster.ts";
import { TestMessenger } from "./support/messenger.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import {
  createGroup,
  type Participant,
  participants,
  sendPrivately,
  sendToGroup,
  unknownId,
} from "./support/scenes.ts";

/*
 * Requests that are not allowed are answered without waiting for locks, and without taking any: each test holds the locks in
 * a transaction of its own while they are made. What is allowed before a lock is checked again under it.
 */

/** Shorter than the lock timeout of the server. */
const maxAnswerMs = 1500;

describeWithCluster("while a transaction holds a lock", () => {
  let cluster: Cluster;
  let messenger: TestMessenger;
  let holder: pg.Client;
  let owner: Participant;
  let member: Participant;
  let stranger: Participant;
  let groupId: number;
  let messageId: number;

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
    messenger = await TestMessenger.start({ DATABASE_URL: cluster.url });
    holder = new pg.Client({ connectionString: cluster.url });
    await holder.connect();
    [owner, member, stranger] = await participants(messenger, 1, 1, 1);
    groupId = await createGroup(owner.device, [member]);
    ({ messageId } = await sendToGroup(owner.device, groupId, "Hi"));
  }, 60_000);

  afterEach(() => holder.query("ROLLBACK"));

  afterAll(async () => {
    await holder?.end();
    await messenger?.closeDevices();
    await messenger?.stop();
    await cluster?.remove();
  });

  async function hold(table: "chats" | "users", ids: readonly number[]): Promise<void> {
    await holder.query("BEGIN");
    await holder.query(`SELECT id FROM ${table} WHERE id = ANY ($1::bigint[]) FOR UPDATE`, [ids]);
  }

  /** Resolves once a request waits for a lock of the transaction. */
  async function lockIsWaitedFor(): Promise<void> {
    for (;;) {
      const { rowCount } = await holder.query(
        "SELECT FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))",
      );
      if (rowCount) return;
      await wait(10);
    }
  }

  /** The code of the error with which a request is answered in time. */
  async function codeOf(person: Participant, type: string, params: object): Promise<string> {
    const startedAt = performance.now();
    const frame = await person.device.exchange({ type, params });
    expect(performance.now() - startedAt).toBeLessThan(maxAnswerMs);
    return "code" in frame ? String(frame.code) : "done";
  }

  const groupRequests = (id: number): [string, object][] => [
    ["leaveGroup", { groupId: id }],
    ["addUserInGroup", { groupId: id, userId: stranger.id }],
    ["renameGroup", { groupId: id, groupName: "ours" }],
    ["removeUserFromGroup", { groupId: id, userId: member.id }],
    ["setMemberRole", { groupId: id, userId: member.id, role: "admin" }],
    ["transferOwnership", { groupId: id, userId: stranger.id }],
    ["deleteGroup", { groupId: id }],
  ];

  test("of a group, strangers get NOT_MEMBER at once, as for a group that does not exist", async () => {
    await hold("chats", [groupId]);
    for (const id of [groupId, unknownId]) {
      for (const [type, params] of groupRequests(id)) {
        expect([type, await codeOf(stranger, type, params)]).toEqual([type, "NOT_MEMBER"]);
      }
    }
  });

  test("of a group, strangers get NOT_FOUND for its messages at once", async () => {
    await hold("chats", [groupId]);
    for (const id of [messageId, unknownId]) {
      expect(await codeOf(stranger, "editMessage", { messageId: id, content: "x" })).toBe("NOT_FOUND");
      expect(await codeOf(stranger, "deleteMessage", { messageId: id })).toBe("NOT_FOUND");
    }
  });

  test("of a group, strangers get NOT_MEMBER for messages at once, as for a group that does not exist, also several", async () => {
    await hold("chats", [groupId]);
    for (const id of [groupId, unknownId]) {
      const requests = [1, 2, 3].map(() => codeOf(stranger, "messageInGroup", { groupId: id, content: "x" }));
      expect(await Promise.all(requests)).toEqual(["NOT_MEMBER", "NOT_MEMBER", "NOT_MEMBER"]);
      expect(await codeOf(stranger, "messageInGroup", { groupId: id, content: "x" })).toBe("NOT_MEMBER");
    }
  });

  test("of a group, a stranger's next message to a friend is not delayed", async () => {
    const [friend] = await participants(messenger, 1);
    await hold("chats", [groupId]);
    const refused = codeOf(stranger, "messageInGroup", { groupId, content: "x" });
    const sent = codeOf(stranger, "privateMessage", { receiverId: friend.id, content: "x" });
    expect(await Promise.all([refused, sent])).toEqual(["NOT_MEMBER", "done"]);
  });

  test("of a dialog, a blocked person gets NOT_FOUND for messages at once", async () => {
    const [blocking, blocked] = await participants(messenger, 1, 1);
    const { chatId } = await sendPrivately(blocked.device, blocking.id, "Hi");
    await messenger.http("PUT", `/users/me/blocks/${blocked.id}`, { token: blocking.token });
    await hold("chats", [chatId]);
    for (const count of [1, 2]) {
      const requests = Array.from({ length: count }, () =>
        codeOf(blocked, "privateMessage", { receiverId: blocking.id, content: "x" }),
      );
      expect(new Set(await Promise.all(requests))).toEqual(new Set(["NOT_FOUND"]));
    }
  });

  test("of a group, the locks of messages are not taken for strangers", async () => {
    const [other] = await participants(messenger, 1);
    for (const senders of [[stranger.id], [stranger.id, other.id]]) {
      await holder.query("BEGIN");
      const ids = senders.map(() => groupId);
      const none = senders.map(() => null);
      const texts = senders.map(() => "x");
      await holder.query("SELECT send_messages($1, $2, $3, $4, $5, $6)", [ids, senders, none, none, none, texts]);
      expect(await codeOf(owner, "messageInGroup", { groupId, content: "not delayed" })).toBe("done");
      await holder.query("ROLLBACK");
    }
  });

  test("of a group, a member who is removed while a message waits gets NOT_MEMBER", async () => {
    const [removed] = await participants(messenger, 1);
    expect(await codeOf(owner, "addUserInGroup", { groupId, userId: removed.id })).toBe("done");
    await hold("chats", [groupId]);
    const answer = codeOf(removed, "messageInGroup", { groupId, content: "x" });
    await holder.query("DELETE FROM chat_members WHERE chat_id = $1 AND user_id = $2", [groupId, removed.id]);
    await holder.query("COMMIT");
    expect(await answer).toBe("NOT_MEMBER");
  });

  test("of a group, members get FORBIDDEN at once for what their role does not allow", async () => {
    await hold("chats", [groupId]);
    for (const [type, params] of groupRequests(groupId).filter(([name]) => !/^(leave|add)/.test(name))) {
      expect([type, await codeOf(member, type, params)]).toEqual([type, "FORBIDDEN"]);
    }
    expect(await codeOf(member, "editMessage", { messageId, content: "x" })).toBe("FORBIDDEN");
    expect(await codeOf(member, "deleteMessage", { messageId })).toBe("FORBIDDEN");
  });

  test("of a group, an admin who loses the role while a request waits gets FORBIDDEN", async () => {
    const requests: [type: string, params: object][] = [
      ["deleteMessage", { messageId }],
      ["renameGroup", { groupId, groupName: "ours" }],
    ];
    for (const [type, params] of requests) {
      expect(await codeOf(owner, "setMemberRole", { groupId, userId: member.id, role: "admin" })).toBe("done");
      await hold("chats", [groupId]);
      const answer = codeOf(member, type, params);
      await lockIsWaitedFor();
      await holder.query("UPDATE chat_members SET role = 'member' WHERE chat_id = $1 AND user_id = $2", [
        groupId,
        member.id,
      ]);
      await holder.query("COMMIT");
      expect([type, await answer]).toEqual([type, "FORBIDDEN"]);
    }
  });

  test("of accounts, a user who is blocked while a request waits gets NOT_FOUND, and no dialog", async () => {
    const [blocking] = await participants(messenger, 1);
    const requests: [type: string, params: object][] = [
      ["privateMessage", { receiverId: blocking.id, content: "x" }],
      ["addUserInGroup", { groupId, userId: blocking.id }],
    ];
    for (const [type, params] of requests) {
      await hold("users", [blocking.id]);
      const answer = codeOf(member, type, params);
      await lockIsWaitedFor();
      await holder.query("INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2)", [blocking.id, member.id]);
      await holder.query("COMMIT");
      expect([type, await answer]).toEqual([type, "NOT_FOUND"]);
      await holder.query("DELETE FROM blocks WHERE user_id = $1", [blocking.id]);
    }
    const dialogs = await holder.query(
      "SELECT FROM chats WHERE $1 IN (pair_low, pair_high) AND $2 IN (pair_low, pair_high)",
      [member.id, blocking.id],
    );
    expect(dialogs.rowCount).toBe(0);
  });

  test("of accounts, a first message to a user who blocks the sender, or to nobody, is rejected at once", async () => {
    const { status } = await messenger.http("PUT", `/users/me/blocks/${stranger.id}`, { token: owner.token });
    expect(status).toBe(204);
    await hold("users", [owner.id, stranger.id]);
    for (const receiverId of [owner.id, unknownId]) {
      expect(await codeOf(stranger, "privateMessage", { receiverId, content: "x" })).toBe("NOT_FOUND");
    }
    expect(await codeOf(member, "addUserInGroup", { groupId, userId: unknownId })).toBe("NOT_FOUND");
  });
});
