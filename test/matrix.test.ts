import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { routes } from "../src/http/registry.ts";
import { messageTypes } from "../src/ws/registry.ts";
import type { Device } from "./support/device.ts";
import { TestMessenger, type TestUser } from "./support/messenger.ts";
import { block, createGroup, deleteAccount, errorOf, sendPrivately, sendToGroup, unknownId } from "./support/scenes.ts";

/*
 * Permissions: every message type and every route against every kind of caller. Each cell states the answer, and a
 * rejected request must not have changed a row. A new type or route without a row in this table fails.
 */

/** Members of the group (owner, admin, member), an ex-member, a stranger, and two people of whom one blocks the other. */
const roles = ["owner", "admin", "member", "exMember", "stranger", "blocker", "blocked"] as const;
type Role = (typeof roles)[number];

/** The objects that a cell's request refers to. */
interface Scene {
  groupId: number;
  /** A member without rights, the target of requests. */
  target: TestUser;
  /** A user who is in no chat. */
  outsider: TestUser;
  /** For the blocker and the blocked: each other. For everyone else: the peer of a dialog. */
  partner: TestUser;
  /** The chat of that dialog. */
  dialogId: number;
  /** A message of the target in the group. */
  messageId: number;
  ownToken: string;
}

type Expected = "ok" | "NOT_MEMBER" | "FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "VALIDATION";
/** `noGroup` skips creating a group for types that need none. */
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
  setState: {
    params: ({ groupId }) => ({ key: `chat:${groupId}`, value: { level: "none" } }),
    expected: members,
  },
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
  ping: { noGroup: true, params: () => ({}), expected: everyone("ok") },
  listReaders: {
    params: ({ messageId }) => ({ messageId, limit: 5, page: 1 }),
    expected: { ...everyone("NOT_FOUND"), owner: "ok", admin: "ok", member: "ok" },
  },
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
  searchMessages: { params: ({ groupId }) => ({ query: "hello", chatId: groupId, limit: 5 }), expected: members },
  listMentions: { noGroup: true, params: () => ({ limit: 5 }), expected: everyone("ok") },
  listPinned: { params: ({ groupId }) => ({ chatId: groupId, limit: 5, page: 1 }), expected: members },
  forwardMessage: {
    params: ({ messageId, partner }) => ({ messageId, receiverId: partner.id }),
    expected: { ...everyone("NOT_FOUND"), owner: "ok", admin: "ok", member: "ok" },
  },
  // The message of another: for non-members of its chat it does not exist.
  editMessage: {
    params: ({ messageId }) => ({ messageId, content: "mine now" }),
    expected: { ...everyone("NOT_FOUND"), owner: "FORBIDDEN", admin: "FORBIDDEN", member: "FORBIDDEN" },
  },
  deleteMessage: {
    params: ({ messageId }) => ({ messageId }),
    expected: { ...everyone("NOT_FOUND"), owner: "ok", admin: "ok", member: "FORBIDDEN" },
  },
  react: {
    params: ({ messageId }) => ({ messageId, emoji: "👍", on: true }),
    expected: { ...everyone("NOT_FOUND"), owner: "ok", admin: "ok", member: "ok" },
  },
  listReactions: {
    params: ({ messageId }) => ({ messageId, limit: 5, page: 1 }),
    expected: { ...everyone("NOT_FOUND"), owner: "ok", admin: "ok", member: "ok" },
  },
  pinMessage: {
    params: ({ messageId }) => ({ messageId, on: true }),
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
    const { chatId } = await sendPrivately(devices[role], partnerOf(role).id, "hello");
    dialogs[role] = chatId;
  }
  expect((await block(messenger, people.blocker, people.blocked)).status).toBe(204);
});

afterAll(async () => {
  await messenger.closeDevices();
  await messenger.stop();
});

const partnerOf = (role: Role): TestUser =>
  role === "blocked" ? people.blocker : role === "blocker" ? people.blocked : friend;

async function makeScene(role: Role, { noGroup }: Row): Promise<Scene> {
  const { groupId, messageId } = noGroup ? { groupId: 0, messageId: 0 } : await groupWithMessage();
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

/** A group for one cell, with a message of the target. */
async function groupWithMessage(): Promise<{ groupId: number; messageId: number }> {
  const members = [people.admin, people.member, people.exMember, target];
  const groupId = await createGroup(devices.owner, members);
  await devices.owner.request("setMemberRole", { groupId, userId: people.admin.id, role: "admin" });
  await devices.exMember.request("leaveGroup", { groupId });
  const targetDevice = await target.connect();
  const { messageId } = await sendToGroup(targetDevice, groupId, "I was here");
  await targetDevice.close();
  return { groupId, messageId };
}

/** A hash of all stored rows, except for the times of last use. */
async function fingerprint(): Promise<unknown> {
  return messenger.sql(`
    SELECT (SELECT md5(string_agg(md5((to_jsonb(t) - 'last_seen_at')::text), '' ORDER BY id)) FROM users t) AS users,
           (SELECT md5(string_agg(md5((to_jsonb(t) - 'last_used_at')::text), '' ORDER BY id)) FROM sessions t) AS sessions,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM chats t) AS chats,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id, chat_id)) FROM chat_members t) AS members,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM messages t) AS messages,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id, blocked_id)) FROM blocks t) AS blocks,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM one_time_tokens t) AS tokens,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM mail_outbox t) AS mails,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM audit_log t) AS audit,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id)) FROM message_erasures t) AS erasures,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY message_id, user_id, emoji)) FROM message_reactions t) AS reactions,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY message_id)) FROM chat_pins t) AS pins,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id, key)) FROM user_state t) AS state,

           (SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) FROM avatars t) AS avatars,
           (SELECT md5(string_agg(md5(t::text), '' ORDER BY user_id, message_id)) FROM message_mentions t) AS mentions`);
}

describe("message types", () => {
  test("every type has a row", () => {
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

  test("a deleted account can open no socket and receives no messages", async () => {
    const deleted = await messenger.person();
    await deleteAccount(messenger, deleted);
    await expect(messenger.connect(deleted.token)).rejects.toThrow("401");
    const before = await fingerprint();
    const errorFor = (receiverId: number) =>
      errorOf(devices.owner, "privateMessage", { receiverId, content: "hello?" });
    expect(await errorFor(deleted.id)).toEqual(await errorFor(unknownId));
    expect(await fingerprint()).toEqual(before);
  });
});

describe("routes", () => {
  const open = routes.filter((route) => route.public).map(({ method, url }) => `${method} ${url}`);
  const closed = routes.filter((route) => !route.public).map(({ method, url }) => `${method} ${url}`);

  test("only the description of the server, routes that create or renew a session, and those of links need no token", () => {
    expect(open).toEqual([
      "get /api/info",
      "post /auth/register",
      "post /auth/login",
      "post /auth/refresh",
      "post /auth/setup",
      "post /auth/password/reset",
      "post /auth/password/forgot",
      "post /auth/email/verify",
      "get /avatars/{id}",
      "get /invites/{invite}",
      // By a token or by a link.
      "get /files/{id}",
    ]);
  });

  test.each(closed)(
    "%s rejects requests without a token and with a token of a deleted account or an ended session",
    async (name) => {
      const [method = "", url = ""] = name.split(" ");
      const [deleted, loggedOut] = [await messenger.person(), await messenger.person()];
      await deleteAccount(messenger, deleted);
      await messenger.http("POST", "/auth/logout", { token: loggedOut.token });
      const before = await fingerprint();
      for (const token of [undefined, deleted.token, loggedOut.token]) {
        const path = url.replace(/\{\w+\}/g, String(people.owner.id));
        const { status, body } = await messenger.http(method.toUpperCase(), path, { ...(token && { token }) });
        expect({ status, code: body.code }).toEqual({ status: 401, code: "UNAUTHENTICATED" });
      }
      expect(await fingerprint()).toEqual(before);
    },
  );

  const forAdmins = routes.filter(({ url }) => url.startsWith("/admin/"));

  test.each(forAdmins.map((route) => [route.method, route.url, route] as const))(
    "%s %s is for administrators of the server only",
    async (method, url, { requiresAdmin, example }) => {
      expect(requiresAdmin).toBe(true);
      const { groupId } = await groupWithMessage();
      const id = url.startsWith("/admin/groups") ? groupId : target.id;
      const path = `${url.replace("{id}", String(id))}?${new URLSearchParams(example.query)}`;
      const before = await fingerprint();
      for (const role of ["owner", "admin", "member", "stranger"] as const) {
        for (const body of [example.body, undefined]) {
          const answer = await messenger.http(method.toUpperCase(), path, {
            token: people[role].token,
            ...(body && { body }),
          });
          expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 403, code: "FORBIDDEN" });
        }
      }
      expect(await fingerprint()).toEqual(before);
    },
  );
});
