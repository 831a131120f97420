import { describe, expect, test } from "@jest/globals";
import { purgeAdministration } from "../src/jobs/purge-administration.ts";
import { admin, audited, tokenOf } from "./support/admin.ts";
import { registerSecret } from "./support/leak-scan.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";
import { createGroup, deleteAccount, participant, sendPrivately, sendToGroup, unknownId } from "./support/scenes.ts";
import { silentLog } from "./support/silent.ts";

/* Accounts managed by administrators over HTTP, and what is recorded about it. */

const messenger = useMessenger();

const newPassword = "another long sentence";

type Options = Parameters<ReturnType<typeof messenger>["http"]>[2];

const call = (by: TestUser, method: string, path: string, body?: unknown) =>
  messenger().http(method, `/admin${path}`, { token: by.token, ...(body !== undefined && { body }) } as Options);
const patch = (by: TestUser, user: { id: number }, change: object) => call(by, "PATCH", `/users/${user.id}`, change);
const logIn = ({ email }: { email: string }, word = password) =>
  messenger().http("POST", "/auth/login", { body: { email, password: word } });
const reset = (url: string, word = newPassword) =>
  messenger().http("POST", "/auth/password/reset", { body: { token: tokenOf(url), newPassword: word } });
const outcome = ({ status, body }: { status: number; body: { code?: string } }) => ({ status, code: body.code });

/** Leaves only these administrators. */
const onlyAdmins = (...admins: TestUser[]) =>
  messenger().sql("UPDATE users SET role = 'user' WHERE role = 'admin' AND NOT id = ANY ($ids::bigint[])", {
    ids: admins.map(({ id }) => id),
  });

describe("the list of accounts", () => {
  test("shows what administrators need, and no secret", async () => {
    const ann = await admin(messenger());
    const bob = await participant(messenger(), { firstName: "Zebulon" });
    await sendPrivately(bob.device, ann.id, "one");
    const { messageId } = await sendPrivately(bob.device, ann.id, "two");
    await bob.device.request("deleteMessage", { messageId });
    await createGroup(bob.device, [], "of system messages");
    const { status, body } = await call(ann, "GET", "/users?search=ZEBUL");
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        data: [
          {
            id: bob.id,
            email: bob.email,
            firstName: "Zebulon",
            lastName: null,
            role: "user",
            createdAt: expect.any(String),
            lastSeenAt: null,
            suspendedAt: null,
            sessions: 1,
            messages: 1,
          },
        ],
        nextCursor: null,
      },
    });
  });

  test("is read in pages, by role, status, and any part of the name or the address", async () => {
    const ann = await admin(messenger());
    const people = [];
    for (const name of ["Örjan", "orjana", "Björjan"]) people.push(await messenger().person(name));
    await patch(ann, people[1] ?? ann, { suspended: true });
    const list = async (query: string) => {
      const ids: number[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const { status, body } = await call(ann, "GET", `/users?limit=2&${query}${cursor && `&cursor=${cursor}`}`);
        expect(status).toBe(200);
        ids.push(...body.data.map(({ id }: { id: number }) => id));
        cursor = body.nextCursor;
      }
      return ids;
    };
    const ids = people.map(({ id }) => id);
    expect(await list("search=%C3%96RJAN")).toEqual(ids);
    expect(await list("search=rjan&status=suspended")).toEqual([ids[1]]);
    expect(await list("search=rjan&status=active")).toEqual([ids[0], ids[2]]);
    expect(await list("search=rjan&role=admin")).toEqual([]);
    expect(await list("role=admin")).toContain(ann.id);
    expect(await list(`search=${people[2]?.email.slice(3).toUpperCase()}`)).toEqual([ids[2]]);
    const all = await list("");
    expect(all).toEqual([...new Set(all)].sort((one, other) => one - other));
    expect(all).toEqual(expect.arrayContaining(ids));
    for (const query of ["cursor=nonsense", "role=owner", "status=deleted", "limit=0", "unknown=1"]) {
      expect(outcome(await call(ann, "GET", `/users?${query}`))).toEqual({ status: 400, code: "VALIDATION" });
    }
  });
});

describe("an account that an administrator creates", () => {
  test("gets its password from a link that works once", async () => {
    const ann = await admin(messenger());
    const given = { email: "grace.hopper@example.test", firstName: "Grace", lastName: "Hopper" };
    const { status, body } = await call(ann, "POST", "/users", given);
    expect(status).toBe(201);
    expect(body).toEqual({
      user: expect.objectContaining({ ...given, role: "user", sessions: 0, messages: 0, lastSeenAt: null }),
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/reset#[\w-]{43}$/),
      expiresAt: expect.any(String),
    });
    registerSecret(tokenOf(body.url), "text");
    const minutesLeft = (Date.parse(body.expiresAt) - Date.now()) / 60_000;
    expect(minutesLeft).toBeGreaterThan(28);
    expect(minutesLeft).toBeLessThanOrEqual(31);
    expect((await reset(body.url, "password1")).body.code).toBe("VALIDATION");
    expect((await reset(body.url, "Grace.Hopper@Example.test")).body).toMatchObject({
      code: "VALIDATION",
      field: "body.newPassword",
    });
    expect((await reset(body.url)).status).toBe(204);
    expect(outcome(await reset(body.url))).toEqual({ status: 403, code: "TOKEN_INVALID" });
    expect((await logIn(given, newPassword)).status).toBe(200);
    expect(outcome(await call(ann, "POST", "/users", { ...given, email: given.email.toUpperCase() }))).toEqual({
      status: 409,
      code: "EMAIL_TAKEN",
    });
    expect(await audited(messenger(), body.user)).toEqual([
      { source: "http", actorId: ann.id, action: "user.create", targetId: body.user.id, details: { role: "user" } },
    ]);
  });

  test("can be another administrator", async () => {
    const ann = await admin(messenger());
    const { body } = await call(ann, "POST", "/users", {
      email: "second.admin@example.test",
      firstName: "Second",
      role: "admin",
    });
    await reset(body.url);
    const { body: session } = await logIn({ email: "second.admin@example.test" }, newPassword);
    expect(session.user.role).toBe("admin");
    expect((await call(session, "GET", "/stats")).status).toBe(200);
  });
});

describe("a link for a new password", () => {
  test("ends all sessions, now and when it is used, and only the latest works", async () => {
    const [ann, bob] = [await admin(messenger()), await participant(messenger())];
    const first = await call(ann, "POST", `/users/${bob.id}/reset-password`);
    expect(first).toMatchObject({ status: 200, body: { url: expect.any(String), expiresAt: expect.any(String) } });
    expect(await bob.device.closed).toMatchObject({ code: 4401 });
    const { body } = await logIn(bob);
    const device = await messenger().connect(body.token);
    const second = await call(ann, "POST", `/users/${bob.id}/reset-password`);
    expect(await device.closed).toMatchObject({ code: 4401 });
    expect(outcome(await reset(first.body.url))).toEqual({ status: 403, code: "TOKEN_INVALID" });
    const meanwhile = await messenger().connect((await logIn(bob)).body.token);
    expect((await reset(second.body.url)).status).toBe(204);
    expect(await meanwhile.closed).toMatchObject({ code: 4401 });
    expect((await logIn(bob)).status).toBe(401);
    expect((await logIn(bob, newPassword)).status).toBe(200);
    expect((await audited(messenger(), bob)).map(({ action }) => action)).toEqual(Array(2).fill("user.reset-password"));
  });

  test.each([
    [
      "expires",
      (id: number) => messenger().sql("UPDATE one_time_tokens SET expires_at = now() WHERE user_id = $id", { id }),
    ],
    [
      "ends with a new e-mail address",
      async (id: number) => patch(await admin(messenger()), { id }, { email: `${id}@new.test` }),
    ],
    ["ends with the account", async (id: number) => call(await admin(messenger()), "DELETE", `/users/${id}`)],
  ])("%s", async (_how, end) => {
    const [ann, bob] = [await admin(messenger()), await messenger().person()];
    const { body } = await call(ann, "POST", `/users/${bob.id}/reset-password`);
    await end(bob.id);
    expect(outcome(await reset(body.url))).toEqual({ status: 403, code: "TOKEN_INVALID" });
  });

  test("is used by one of two requests at the same time", async () => {
    const [ann, bob] = [await admin(messenger()), await messenger().person()];
    const { body } = await call(ann, "POST", `/users/${bob.id}/reset-password`);
    const answers = await Promise.all([reset(body.url), reset(body.url)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 403]);
  });
});

describe("a suspended account", () => {
  test("loses its sessions and sockets, and cannot log in until it is resumed", async () => {
    const [ann, bob] = [await admin(messenger()), await participant(messenger(), { devices: 2 })];
    const { status, body } = await patch(ann, bob, { suspended: true });
    expect({ status, body }).toMatchObject({ status: 200, body: { suspendedAt: expect.any(String), sessions: 0 } });
    for (const device of bob.devices) expect(await device.closed).toMatchObject({ code: 4401 });
    expect((await messenger().http("GET", "/users/me", { token: bob.token })).status).toBe(401);
    await expect(messenger().connect(bob.token)).rejects.toThrow("401");
    expect(outcome(await logIn(bob))).toEqual({ status: 403, code: "SUSPENDED" });
    expect(outcome(await logIn(bob, "a wrong password"))).toEqual({ status: 401, code: "BAD_CREDENTIALS" });

    const { body: link } = await call(ann, "POST", `/users/${bob.id}/reset-password`);
    expect((await reset(link.url)).status).toBe(204);
    expect(outcome(await logIn(bob, newPassword))).toEqual({ status: 403, code: "SUSPENDED" });

    expect((await patch(ann, bob, { suspended: false })).body.suspendedAt).toBeNull();
    expect((await logIn(bob, newPassword)).status).toBe(200);
    expect((await audited(messenger(), bob)).map(({ action }) => action)).toEqual([
      "user.suspend",
      "user.reset-password",
      "user.resume",
    ]);
  });

  test("cannot log in at the same moment", async () => {
    const ann = await admin(messenger());
    for (let round = 0; round < 10; round++) {
      const bob = await messenger().person();
      const [suspension, { body }] = await Promise.all([patch(ann, bob, { suspended: true }), logIn(bob)]);
      expect(suspension.status).toBe(200);
      if (body.token) {
        expect((await messenger().http("GET", "/users/me", { token: body.token })).status).toBe(401);
      }
    }
  });

  test("of an administrator has no rights left", async () => {
    const [ann, bob] = [await admin(messenger()), await admin(messenger())];
    await patch(ann, bob, { suspended: true });
    await messenger().sql("UPDATE sessions SET revoked_at = NULL WHERE user_id = $id", { id: bob.id });
    expect(outcome(await call(bob, "GET", "/stats"))).toEqual({ status: 403, code: "FORBIDDEN" });
  });
});

describe("a change of an account", () => {
  test("sets names and address, and records only which", async () => {
    const [ann, bob] = [await admin(messenger()), await participant(messenger())];
    const friend = await participant(messenger());
    await sendPrivately(friend.device, bob.id, "hello");
    const email = "robert.miller@example.test";
    const { body } = await patch(ann, bob, { firstName: "Robert", lastName: "Miller", email });
    expect(body).toMatchObject({ firstName: "Robert", lastName: "Miller", email });
    expect((await logIn({ email })).status).toBe(200);
    expect((await friend.device.nextPush("profile")).params.item).toMatchObject({ firstName: "Robert" });
    // What is so already changes nothing.
    await patch(ann, bob, { firstName: "Robert", role: "user", suspended: false });
    const entries = await audited(messenger(), bob);
    expect(entries).toEqual([
      {
        source: "http",
        actorId: ann.id,
        action: "user.update",
        targetId: bob.id,
        details: { fields: ["firstName", "lastName", "email"] },
      },
    ]);
    expect(outcome(await patch(ann, bob, { email: friend.email }))).toEqual({ status: 409, code: "EMAIL_TAKEN" });
    expect(outcome(await patch(ann, bob, {}))).toEqual({ status: 400, code: "VALIDATION" });
    expect(await audited(messenger(), bob)).toEqual(entries);
  });

  test("is refused for accounts that do not exist, or no longer", async () => {
    const [ann, bob] = [await admin(messenger()), await messenger().person()];
    await deleteAccount(messenger(), bob);
    for (const id of [bob.id, unknownId]) {
      for (const answer of [
        await patch(ann, { id }, { suspended: true }),
        await call(ann, "POST", `/users/${id}/reset-password`),
        await call(ann, "DELETE", `/users/${id}`),
      ]) {
        expect(outcome(answer)).toEqual({ status: 404, code: "NOT_FOUND" });
      }
    }
    expect(outcome(await call(ann, "DELETE", `/users/${unknownId}?erase=true`))).toEqual({
      status: 404,
      code: "NOT_FOUND",
    });
  });
});

describe("the last administrator", () => {
  test("can be neither demoted nor suspended nor deleted, and one of two can", async () => {
    const ann = await admin(messenger());
    await onlyAdmins(ann);
    const lastAdmin = { status: 409, code: "LAST_ADMIN" };
    expect(outcome(await patch(ann, ann, { role: "user" }))).toEqual(lastAdmin);
    expect(outcome(await patch(ann, ann, { suspended: true }))).toEqual(lastAdmin);
    expect(outcome(await call(ann, "DELETE", `/users/${ann.id}?erase=true`))).toEqual(lastAdmin);
    const own = { token: ann.token, body: { password } };
    expect(outcome(await messenger().http("DELETE", "/users/me", own))).toEqual(lastAdmin);
    expect(await audited(messenger(), ann)).toEqual([]);

    const bob = await messenger().person();
    expect((await patch(ann, bob, { role: "admin" })).body.role).toBe("admin");
    expect((await patch(ann, ann, { role: "user" })).body.role).toBe("user");
    expect(outcome(await call(ann, "GET", "/users"))).toEqual({ status: 403, code: "FORBIDDEN" });
    // A suspended administrator is none.
    const clara = await admin(messenger());
    await patch(bob, clara, { suspended: true });
    expect(outcome(await patch(bob, bob, { role: "user" }))).toEqual(lastAdmin);
  });

  test.each<[string, (by: TestUser, other: TestUser) => ReturnType<typeof call>]>([
    ["demote", (by, other) => patch(by, other, { role: "user" })],
    ["suspend", (by, other) => patch(by, other, { suspended: true })],
    ["delete", (by, other) => call(by, "DELETE", `/users/${other.id}`)],
  ])("two administrators who %s each other at the same time: one succeeds", async (_what, act) => {
    const codes: string[] = [];
    for (let round = 0; round < 8; round++) {
      const [ann, bob] = [await admin(messenger()), await admin(messenger())];
      await onlyAdmins(ann, bob);
      const answers = await Promise.all([act(ann, bob), act(bob, ann)]);
      const succeeded = answers.filter(({ status }) => status < 300);
      expect(succeeded).toHaveLength(1);
      // The other one was still an administrator when the request arrived, or not any more.
      const [failed] = answers.filter(({ status }) => status >= 300);
      expect(["LAST_ADMIN", "FORBIDDEN", "UNAUTHENTICATED"]).toContain(failed?.body.code);
      codes.push(failed?.body.code);
      const [row] = await messenger().sql<{ count: number }>(
        "SELECT count(*)::int FROM users WHERE role = 'admin' AND suspended_at IS NULL AND deleted_at IS NULL",
      );
      expect(row?.count).toBe(1);
    }
    expect(codes).toContain("LAST_ADMIN");
  });
});

describe("the deletion of an account", () => {
  test("closes its sockets and keeps its messages", async () => {
    const [ann, bob, clara] = [
      await admin(messenger()),
      await participant(messenger()),
      await participant(messenger()),
    ];
    const groupId = await createGroup(bob.device, [clara]);
    await sendToGroup(bob.device, groupId, "what stays");
    expect((await call(ann, "DELETE", `/users/${bob.id}`)).status).toBe(204);
    expect(await bob.device.closed).toMatchObject({ code: 4403 });
    expect((await logIn(bob)).status).toBe(401);
    const { params } = await clara.device.request("getMessages", { chatId: groupId, limit: 10 });
    expect(params.data.map(({ message }) => message)).toContain("what stays");
    expect(await audited(messenger(), bob)).toEqual([
      { source: "http", actorId: ann.id, action: "user.delete", targetId: bob.id, details: {} },
    ]);
  });
});

describe("the audit log", () => {
  test("is read in pages, by administrator, action and target, the latest first", async () => {
    const [ann, other, bob] = [await admin(messenger()), await admin(messenger()), await messenger().person()];
    for (const suspended of [true, false, true]) await patch(ann, bob, { suspended });
    await patch(other, bob, { firstName: "Bobby" });
    const list = async (query: string) => (await call(ann, "GET", `/audit?${query}`)).body;
    const all = await list(`targetType=user&targetId=${bob.id}`);
    expect(all.nextCursor).toBeNull();
    expect(all.data.map(({ action }: { action: string }) => action)).toEqual([
      "user.update",
      "user.suspend",
      "user.resume",
      "user.suspend",
    ]);
    expect(all.data[1]).toEqual({
      id: expect.any(Number),
      at: expect.any(String),
      actorId: ann.id,
      source: "http",
      action: "user.suspend",
      targetType: "user",
      targetId: bob.id,
      details: {},
      address: "127.0.0.1",
    });
    const first = await list(`targetId=${bob.id}&limit=3`);
    const second = await list(`targetId=${bob.id}&limit=3&cursor=${first.nextCursor}`);
    expect([...first.data, ...second.data]).toEqual(all.data);
    expect(second.nextCursor).toBeNull();
    expect((await list(`actorId=${other.id}`)).data).toEqual([all.data[0]]);
    expect((await list(`actorId=${ann.id}&action=user.resume`)).data).toEqual([all.data[2]]);
  });

  test("is kept for its time, and expired links are removed", async () => {
    const [ann, bob] = [await admin(messenger()), await messenger().person()];
    await patch(ann, bob, { suspended: true });
    await patch(ann, bob, { suspended: false });
    await call(ann, "POST", `/users/${bob.id}/reset-password`);
    await messenger().sql(
      "UPDATE audit_log SET at = at - interval '8 days' WHERE action = 'user.suspend' AND target_id = $id",
      { id: bob.id },
    );
    await messenger().sql("UPDATE one_time_tokens SET expires_at = now() - interval '1 second'");
    const stop = purgeAdministration({ database: messenger().db, auditRetentionMs: 7 * 86_400_000, log: silentLog });
    const actions = async () => (await audited(messenger(), bob)).map(({ action }) => action);
    for (let attempt = 0; (await actions()).length > 2; attempt++) expect(attempt).toBeLessThan(10_000);
    stop();
    expect(await actions()).toEqual(["user.resume", "user.reset-password"]);
    expect(await messenger().sql("SELECT FROM one_time_tokens")).toEqual([]);
  });
});

describe("paths of administrators", () => {
  test.each([
    ["GET", "/users"],
    ["GET", "/unknown"],
    ["PUT", "/users"],
    ["DELETE", "/users/1/unknown"],
    ["PATCH", "/users/1"],
  ])("%s /admin%s: 401 without log-in, 403 for members, whether it exists or not", async (method, path) => {
    const bob = await messenger().person();
    expect(outcome(await messenger().http(method, `/admin${path}`))).toEqual({ status: 401, code: "UNAUTHENTICATED" });
    expect(outcome(await call(bob, method, path))).toEqual({ status: 403, code: "FORBIDDEN" });
  });
});
