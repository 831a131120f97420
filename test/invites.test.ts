import { beforeAll, describe, expect, test } from "@jest/globals";
import { invite, promote, register, serverInvite } from "./support/invites.ts";
import { LogLines } from "./support/log-lines.ts";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";
import {
  chatHistory,
  createGroup,
  deleteAccount,
  findChat,
  listMembers,
  participant,
  pushesDuring,
  sendToGroup,
} from "./support/scenes.ts";

/*
 * Invites on a server with open registration, where administrators invite. One file despite its length, because all tests
 * share one server.
 */

const log = new LogLines();
const messenger = useMessenger({ MAX_GROUP_MEMBERS: "3", PUBLIC_URL: "https://chat.example.test" }, log.log);

let admin: TestUser;
beforeAll(async () => {
  admin = await promote(messenger(), await messenger().person("Ada"));
});

const read = (token: string) => messenger().http("GET", `/invites/${token}`);
const revoke = (by: TestUser, id: number) => messenger().http("DELETE", `/invites/${id}`, { token: by.token });
const usesOf = async (id: number) =>
  (await messenger().sql<{ uses: number }>("SELECT uses FROM invites WHERE id = $id", { id }))[0]?.uses;
const expire = (id: number) =>
  messenger().sql("UPDATE invites SET expires_at = clock_timestamp() WHERE id = $id", { id });

describe("an invite", () => {
  test("is created with a token and a link of PUBLIC_URL, for one account and a week", async () => {
    const created = await invite(messenger(), admin);
    expect(created).toEqual({
      ...{ id: expect.any(Number), createdBy: admin.id, email: null, groupIds: [], maxUses: 1, uses: 0 },
      ...{ expiresAt: expect.any(String), revokedAt: null, token: expect.stringMatching(/^[\w-]{43}$/) },
      url: `https://chat.example.test/invite#${created.token}`,
    });
    const days = (Date.parse(created.expiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThan(7.1);
    const [stored] = await messenger().sql("SELECT * FROM invites WHERE id = $id", { id: created.id });
    expect(JSON.stringify(stored)).not.toContain(created.token);
  });

  test("says who invites to which groups, without log-in", async () => {
    const inviter = await promote(messenger(), await participant(messenger(), { firstName: "Grace" }));
    const groupIds = [await createGroup(inviter.device, [], "Tea"), await createGroup(inviter.device, [], "Coffee")];
    const { token } = await invite(messenger(), inviter, { groupIds, email: "Guest@Example.test" });
    expect(await read(token)).toMatchObject({
      status: 200,
      body: { invitedBy: "Grace", groupNames: ["Tea", "Coffee"], email: "Guest@Example.test" },
    });
    const ofServer = await serverInvite(messenger());
    expect((await read(ofServer.token)).body).toEqual({ invitedBy: "Messenger", groupNames: [] });
  });

  test("creates as many accounts as it allows, and a registration that fails costs no use", async () => {
    const taken = await messenger().person();
    const { id, token } = await invite(messenger(), admin, { maxUses: 2 });
    expect(await register(messenger(), { invite: token, email: taken.email })).toMatchObject({
      body: { code: "EMAIL_TAKEN" },
    });
    expect(await register(messenger(), { invite: token, password: "password123" })).toMatchObject({
      body: { code: "VALIDATION" },
    });
    expect(await usesOf(id)).toBe(0);
    expect((await register(messenger(), { invite: token })).status).toBe(201);
    expect((await register(messenger(), { invite: token })).status).toBe(201);
    expect(await register(messenger(), { invite: token })).toMatchObject({ body: { code: "INVITE_INVALID" } });
    expect(await usesOf(id)).toBe(2);
  });

  test("of one use that twenty people use at once creates one account", async () => {
    const { id, token } = await invite(messenger(), admin);
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(messenger(), { invite: token })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const codes = new Set(answers.flatMap(({ body }) => body.code ?? []));
    codes.delete("UNAVAILABLE"); // The queue of bcrypt was full.
    expect([...codes]).toEqual(["INVITE_INVALID"]);
    expect(await usesOf(id)).toBe(1);
  });

  test("that cannot be used has one answer, whatever the reason, also where the address is taken", async () => {
    const taken = await messenger().person();
    const [usedUp, expired, revoked, other, suspended, deleted] = await Promise.all([
      ...[admin, admin, admin].map((by) => invite(messenger(), by)),
      invite(messenger(), admin, { email: "somebody@example.test" }),
      ...["Sus", "Del"].map(async (name) => {
        const inviter = await promote(messenger(), await messenger().person(name));
        const created = await invite(messenger(), inviter);
        if (name === "Del") await deleteAccount(messenger(), inviter);
        else await messenger().sql("UPDATE users SET suspended_at = now() WHERE id = $id", { id: inviter.id });
        return created;
      }),
    ]);
    await register(messenger(), { invite: usedUp.token });
    await expire(expired.id);
    expect((await revoke(admin, revoked.id)).status).toBe(204);
    const unknown = "x".repeat(43);
    const invalid = [unknown, ...[usedUp, expired, revoked, suspended, deleted].map(({ token }) => token)];
    const answers = [];
    for (const token of [...invalid, other.token]) {
      for (const email of ["new@example.test", taken.email]) {
        const { status, body } = await register(messenger(), { invite: token, email });
        answers.push(JSON.stringify({ status, ...body, requestId: "" }));
      }
    }
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0] ?? "")).toMatchObject({ status: 403, code: "INVITE_INVALID" });
    const reads = await Promise.all(invalid.map(read));
    expect(new Set(reads.map(({ status, body }) => JSON.stringify([status, { ...body, requestId: "" }]))).size).toBe(1);
    expect(reads[0]).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
  });

  test("for an address works for it in any letter case", async () => {
    const { token } = await invite(messenger(), admin, { email: "Straße@example.test" });
    expect((await register(messenger(), { invite: token, email: "STRASSE@example.test" })).status).toBe(201);
  });

  test("is logged by the template of its path only", async () => {
    const { token } = await invite(messenger(), admin);
    log.clear();
    await read(token);
    expect(await log.waitFor({ msg: "request" })).toMatchObject({ route: "/invites/{invite}", status: 200 });
    expect(await messenger().http("PUT", `/invites/${token}`)).toMatchObject({ status: 405 });
    await register(messenger(), { invite: token });
    await log.waitFor({ route: "/auth/register" });
    expect(log.output).not.toContain(token);
  });

  test("of a deleted account, or for its address, is revoked, and the address is erased", async () => {
    const inviter = await promote(messenger(), await messenger().person());
    const own = await invite(messenger(), inviter, { email: "friend@example.test" });
    const { id } = await invite(messenger(), admin, { email: inviter.email.toUpperCase() });
    await deleteAccount(messenger(), inviter);
    const rows = await messenger().sql(
      `SELECT email, email_key, revoked_at IS NOT NULL AS "isRevoked" FROM invites WHERE id IN ($own, $id)`,
      { own: own.id, id },
    );
    expect(rows).toEqual([1, 2].map(() => ({ email: null, email_key: null, isRevoked: true })));
  });
});

describe("the groups of an invite", () => {
  test("are joined with an ordinary system message, which leaves the inviter's unread messages unread", async () => {
    const inviter = await promote(messenger(), await participant(messenger(), { firstName: "Ida" }));
    const other = await participant(messenger(), { firstName: "Otto" });
    const groupId = await createGroup(inviter.device, [other]);
    await sendToGroup(other.device, groupId, "Who is coming?");
    const { token } = await invite(messenger(), inviter, { groupIds: [groupId, groupId] });
    let body: Awaited<ReturnType<typeof register>>["body"];
    const [pushes, ofInviter] = await pushesDuring([other.device, inviter.device], async () => {
      ({ body } = await register(messenger(), { invite: token, firstName: "Nina" }));
    });
    const { id, firstName } = body.user;
    const [push] = pushes ?? [];
    expect(pushes).toHaveLength(1);
    expect(push?.type).toBe("addUserInGroup");
    expect(push?.params).toMatchObject({
      message: "Nina joined the group with an invite",
      item: { senderId: id, event: { kind: "memberAdded", byUserId: inviter.id, userId: id } },
    });
    expect(ofInviter).toEqual(pushes);
    expect(await findChat(inviter.device, groupId)).toMatchObject({ unread: 2 });
    const joined = await messenger().connect(body.token);
    expect(await listMembers(joined, groupId)).toContainEqual(expect.objectContaining({ userId: id, firstName }));
    expect(await findChat(joined, groupId)).toMatchObject({ unread: 0, seq: 4 });
    expect((await chatHistory(joined, groupId)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  test("that have ended, are full, or that the inviter has left, are skipped and not shown", async () => {
    const inviter = await promote(messenger(), await participant(messenger()));
    const [one, two] = [await participant(messenger()), await participant(messenger())];
    const [ended, full, left, open] = [
      await createGroup(inviter.device, [], "ended"),
      await createGroup(inviter.device, [one], "full"),
      await createGroup(inviter.device, [one], "left"),
      await createGroup(inviter.device, [], "open"),
    ];
    const { token } = await invite(messenger(), inviter, { groupIds: [open, left, full, ended] });
    await inviter.device.request("deleteGroup", { groupId: ended });
    await inviter.device.request("addUserInGroup", { groupId: full, userId: two.id });
    await inviter.device.request("leaveGroup", { groupId: left });
    expect((await read(token)).body.groupNames).toEqual(["open"]);
    const { body } = await register(messenger(), { invite: token });
    const rows = await messenger().sql("SELECT chat_id FROM chat_members WHERE user_id = $id", { id: body.user.id });
    expect(rows).toEqual([{ chat_id: open }]);
  });

  test("must be groups of the inviter, also if that is an administrator", async () => {
    const stranger = await participant(messenger());
    const foreign = await createGroup(stranger.device);
    for (const groupIds of [[foreign], [987_654_321]]) {
      const answer = await messenger().http("POST", "/invites", { token: admin.token, body: { groupIds } });
      expect(answer).toMatchObject({ status: 404, body: { code: "NOT_MEMBER" } });
    }
  });
});

describe("the management of invites", () => {
  test("is refused to users who are not administrators", async () => {
    const user = await messenger().person();
    const { id } = await invite(messenger(), admin);
    expect(await messenger().http("POST", "/invites", { token: user.token, body: {} })).toMatchObject({
      status: 403,
      body: { code: "FORBIDDEN" },
    });
    expect(await revoke(user, id)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    expect(await messenger().http("GET", "/invites", { token: user.token })).toMatchObject({
      status: 200,
      body: { data: [], nextCursor: null },
    });
  });

  test("lists all to administrators, in pages, the newest first and without tokens", async () => {
    const made = [await invite(messenger(), admin), await serverInvite(messenger()), await invite(messenger(), admin)];
    const list = async (query: string) =>
      (await messenger().http("GET", `/invites?${query}`, { token: admin.token })).body;
    const first = await list("limit=2");
    const second = await list(`limit=2&cursor=${first.nextCursor}`);
    const ids = [...first.data, ...second.data].map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual(made.map(({ id }) => id).reverse());
    expect(JSON.stringify(first)).not.toContain(made[0].token);
    expect(first.data[1]).toMatchObject({ createdBy: null, uses: 0, maxUses: 1, revokedAt: null });
  });

  test("writes to the audit log what was created and revoked, once, without addresses and tokens", async () => {
    const groupOwner = await promote(messenger(), await participant(messenger()));
    const groupId = await createGroup(groupOwner.device);
    const { id } = await invite(messenger(), groupOwner, { groupIds: [groupId], email: "audited@example.test" });
    for (let time = 0; time < 2; time++) expect((await revoke(admin, id)).status).toBe(204);
    const rows = await messenger().sql(
      `SELECT actor_id AS "actorId", source, action, details, address FROM audit_log
        WHERE target_type = 'invite' AND target_id = $id ORDER BY id`,
      { id },
    );
    const origin = { source: "http", address: "127.0.0.1" };
    expect(rows).toEqual([
      { ...origin, actorId: groupOwner.id, action: "invite.create", details: { groupIds: [groupId] } },
      { ...origin, actorId: admin.id, action: "invite.revoke", details: {} },
    ]);
  });

  test.each([
    [{ maxUses: 0 }],
    [{ expiresInHours: 0 }],
    [{ expiresInHours: 9000 }],
    [{ email: "nobody" }],
    [{ groupIds: Array.from({ length: 21 }, (_, index) => index + 1) }],
    [{ unknown: 1 }],
  ])("rejects %j", async (body) => {
    expect(await messenger().http("POST", "/invites", { token: admin.token, body })).toMatchObject({
      status: 400,
      body: { code: "VALIDATION" },
    });
  });
});

test("the password of a registration is not hashed for an invite that cannot be used", async () => {
  // A common password is reported when it is hashed.
  const answer = await register(messenger(), { invite: "nothing", password: "password123" });
  expect(answer.body.code).toBe("INVITE_INVALID");
  expect((await register(messenger(), { password })).status).toBe(201);
});
