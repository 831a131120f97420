import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { routes } from "../src/http/registry.ts";
import { messageTypes } from "../src/ws/registry.ts";
import type { Device } from "./support/device.ts";
import { password, TestMessenger, type TestUser } from "./support/messenger.ts";

/*
 * Who may do what: every message type and every route against everyone who might try. Each cell says what is answered,
 * and a refusal must not have changed a row. A new type or route without a line here fails.
 */

/** In the group: owner, admin, member. Not any more: exMember. Never: stranger. Two people of whom one blocks the other. */
const roles = ["owner", "admin", "member", "exMember", "stranger", "blocker", "blocked"] as const;
type Role = (typeof roles)[number];

/** What a cell acts on. */
interface Scene {
  groupId: number;
  /** A plain member, whom others act on. */
  target: TestUser;
  /** Somebody who is in nothing. */
  outsider: TestUser;
  /** The blocker for the blocked, and the other way round; for everyone else somebody in a dialog with them. */
  partner: TestUser;
  /** The chat of that dialog. */
  dialogId: number;
  /** A message of the target in the group. */
  messageId: number;
  ownToken: string;
}

type Expected = "ok" | "NOT_MEMBER" | "FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "VALIDATION";
/** `noGroup` saves making one for a type that needs none. */
type Row = { noGroup?: true; params: (scene: Scene) => object; expected: Record<Role, Expected> };

const everyone = (expected: Expected): Record<Role, Expected> => ({
  owner: expected,
  admin: expected,
  member: expected,
  exMember: expected,
  stranger: expected,
  blocker: expected,
  blocked: expected,
});
const outsiders = {
  exMember: "NOT_MEMBER",
  stranger: "NOT_MEMBER",
  blocker: "NOT_MEMBER",
  blocked: "NOT_MEMBER",
} as const;
const members = { owner: "ok", admin: "ok", member: "ok", ...outsiders } as const;
const admins = { ...members, member: "FORBIDDEN" } as const;
const ownerOnly = { ...admins, admin: "FORBIDDEN" } as const;
const toPartner = { ...everyone("ok"), blocked: "NOT_FOUND" } as const;

const matrix: Record<keyof typeof messageTypes, Row> = {
  privateMessage: {
    noGroup: true,
    params: ({ partner }) => ({ receiverId: partner.id, content: "hello" }),
    expected: toPartner,
  },
  typing: { noGroup: true, params: ({ dialogId }) => ({ chatId: dialogId }), expected: toPartner },
  markRead: { noGroup: true, params: ({ dialogId }) => ({ chatId: dialogId, seq: 1 }), expected: everyone("ok") },
  clearDialog: { noGroup: true, params: ({ partner }) => ({ receiverId: partner.id }), expected: everyone("ok") },
  getlatestMessageDialog: {
    noGroup: true,
    params: ({ partner }) => ({ receiverId: partner.id, limit: 5, page: 1 }),
    expected: everyone("ok"),
  },
  listLastMessage: { noGroup: true, params: () => ({ limit: 5, page: 1 }), expected: everyone("ok") },
  sync: { noGroup: true, params: () => ({ chats: [] }), expected: everyone("ok") },
  watchPresence: { noGroup: true, params: ({ partner }) => ({ userIds: [partner.id] }), expected: everyone("ok") },
  newGroup: { noGroup: true, params: () => ({ groupName: "another" }), expected: everyone("ok") },
  authenticate: { noGroup: true, params: ({ ownToken }) => ({ token: ownToken }), expected: everyone("ok") },
  getMessages: { params: ({ groupId }) => ({ chatId: groupId, limit: 5 }), expected: members },
  getlatestMessageGroup: { params: ({ groupId }) => ({ groupId, limit: 5, page: 1 }), expected: members },
  listGroupMembers: { params: ({ groupId }) => ({ groupId, limit: 5, page: 1 }), expected: members },
  messageInGroup: { params: ({ groupId }) => ({ groupId, content: "hello" }), expected: members },
  addUserInGroup: { params: ({ groupId, outsider }) => ({ groupId, userId: outsider.id }), expected: members },
  leaveGroup: { params: ({ groupId }) => ({ groupId }), expected: members },
  renameGroup: { params: ({ groupId }) => ({ groupId, groupName: "renamed" }), expected: admins },
  removeUserFromGroup: { params: ({ groupId, target }) => ({ groupId, userId: target.id }), expected: admins },
  setMemberRole: {
    params: ({ groupId, target }) => ({ groupId, userId: target.id, role: "admin" }),
    expected: ownerOnly,
  },
  transferOwnership: { params: ({ groupId, target }) => ({ groupId, userId: target.id }), expected: ownerOnly },
  deleteGroup: { params: ({ groupId }) => ({ groupId }), expected: ownerOnly },
  // Somebody else's message: to who is not in its chat it does not exist.
  editMessage: {
    params: ({ messageId }) => ({ messageId, content: "mine now" }),
    expected: { ...everyone("NOT_FOUND"), owner: "FORBIDDEN", admin: "FORBIDDEN", member: "FORBIDDEN" },
  },
  deleteMessage: {
    params: ({ messageId }) => ({ messageId }),
    expected: { ...everyone("NOT_FOUND"), owner: "ok", admin: "ok", member: "FORBIDDEN" },
  },
};

let messenger: TestMessenger;
let target: TestUser;
let outsider: TestUser;
let friend: TestUser;
const people = {} as Record<Role, TestUser>;
const devices = {} as Record<Role, Device>;
const dialogs = {} as Record<Role, number>;

beforeAll(async () => {
  messenger = await TestMessenger.start();
  [target, outsider, friend] = [await messenger.person(), await messenger.person(), await messenger.person()];
  for (const role of roles) {
    people[role] = await messenger.person();
    devices[role] = await people[role].connect();
  }
  for (const role of roles) {
    const { params } = await devices[role].request("privateMessage", {
      receiverId: partnerOf(role).id,
      content: "hello",
    });
    dialogs[role] = params.item.chatId;
  }
  const { status } = await messenger.http("PUT", `/users/me/blocks/${people.blocked.id}`, {
    token: people.blocker.token,
  });
  expect(status).toBe(204);
});

afterAll(async () => {
  await messenger.closeDevices();
  await messenger.stop();
});

const partnerOf = (role: Role): TestUser =>
  role === "blocked" ? people.blocker : role === "blocker" ? people.blocked : friend;

async function makeScene(role: Role, { noGroup }: Row): Promise<Scene> {
  const { groupId, messageId } = noGroup ? { groupId: 0, messageId: 0 } : await makeGroup();
  return {
    groupId,
    target,
    outsider,
    partner: partnerOf(role),
    dialogId: dialogs[role],
    messageId,
    ownToken: people[role].token,
  };
}

/** A group of its own for one cell, with a message of the target in it. */
async function makeGroup(): Promise<{ groupId: number; messageId: number }> {
  const { params } = await devices.owner.request("newGroup", { groupName: "the group" });
  const groupId = params.item.groupId ?? 0;
  for (const { id } of [people.admin, people.member, people.exMember, target]) {
    await devices.owner.request("addUserInGroup", { groupId, userId: id });
  }
  await devices.owner.request("setMemberRole", { groupId, userId: people.admin.id, role: "admin" });
  await devices.exMember.request("leaveGroup", { groupId });
  const targetDevice = await target.connect();
  const { params: said } = await targetDevice.request("messageInGroup", { groupId, content: "I was here" });
  await targetDevice.close();
  return { groupId, messageId: said.item.messageId };
}

/** Everything there is, in one number; the times of last use aside. */
async function fingerprint(): Promise<unknown> {
  return messenger.sql(`
    SELECT (SELECT md5(string_agg(md5((to_jsonb(t) - 'last_seen_at')::text), '' ORDER BY id)) FROM users t) AS users,
           (SELECT md5(string_agg(md5((to_jsonb(t) - 'last_used_at')::text), '' ORDER BY id)) FROM sessions t) AS sessions,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM chats t) AS chats,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id, chat_id)) FROM chat_members t) AS members,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM messages t) AS messages,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id, blocked_id)) FROM blocks t) AS blocks`);
}

describe("message types", () => {
  test("every type has its line", () => {
    expect(Object.keys(matrix).sort()).toEqual(Object.keys(messageTypes).sort());
  });

  const cells = Object.entries(matrix).flatMap(([type, row]) =>
    roles.map((role) => [type, role, row.expected[role], row] as const),
  );
  test.each(cells)("%s by %s: %s", async (type, role, expected, row) => {
    const scene = await makeScene(role, row);
    const before = expected === "ok" ? undefined : await fingerprint();
    const answer = await devices[role].exchange({ type, params: row.params(scene) });
    expect({ code: answer.error ? answer.code : "ok" }).toEqual({ code: expected });
    if (before) expect(await fingerprint()).toEqual(before);
  });

  test("a deleted account opens no socket, and nobody's message reaches it", async () => {
    const gone = await messenger.person();
    await messenger.http("DELETE", "/users/me", { token: gone.token, body: { password } });
    await expect(messenger.connect(gone.token)).rejects.toThrow("401");
    const before = await fingerprint();
    const toGone = await devices.owner.requestError("privateMessage", { receiverId: gone.id, content: "hello?" });
    const toNobody = await devices.owner.requestError("privateMessage", { receiverId: 9_999_999, content: "hello?" });
    expect({ ...toGone, requestId: 0 }).toEqual({ ...toNobody, requestId: 0 });
    expect(await fingerprint()).toEqual(before);
  });
});

describe("routes", () => {
  const open = routes.filter((route) => route.public).map(({ method, url }) => `${method} ${url}`);
  const closed = routes.filter((route) => !route.public).map(({ method, url }) => `${method} ${url}`);

  test("only what makes or renews a session is open to everyone", () => {
    expect(open).toEqual(["post /auth/register", "post /auth/login", "post /auth/refresh"]);
  });

  test.each(closed)(
    "%s is closed to who has no token, a deleted account's token or an ended session's",
    async (name) => {
      const [method = "", url = ""] = name.split(" ");
      const [gone, out] = [await messenger.person(), await messenger.person()];
      await messenger.http("DELETE", "/users/me", { token: gone.token, body: { password } });
      await messenger.http("POST", "/auth/logout", { token: out.token });
      const before = await fingerprint();
      for (const token of [undefined, gone.token, out.token]) {
        const path = url.replace(/\{\w+\}/g, String(people.owner.id));
        const { status, body } = await messenger.http(method.toUpperCase(), path, { ...(token && { token }) });
        expect({ status, code: body.code }).toEqual({ status: 401, code: "UNAUTHENTICATED" });
      }
      expect(await fingerprint()).toEqual(before);
    },
  );
});
