import { describe, expect, test } from "@jest/globals";
import { productionWarnings } from "../src/config/production-rules.ts";
import { readSettings } from "../src/config/read-settings.ts";
import { invite, register, serverInvite } from "./support/invites.ts";
import { LogLines } from "./support/log-lines.ts";
import { password, useMessenger } from "./support/messenger.ts";

/* Who may create an account: REGISTRATION, REGISTRATION_DOMAINS and INVITES_BY. */

describe("with REGISTRATION=invite and INVITES_BY=members", () => {
  const log = new LogLines();
  const messenger = useMessenger({ REGISTRATION: "invite", INVITES_BY: "members" }, log.log);

  test("an account needs an invite, which every user may make", async () => {
    expect(await register(messenger())).toMatchObject({
      status: 403,
      body: { code: "REGISTRATION_CLOSED", detail: "An invite is needed to create an account on this server" },
    });
    const { body: first } = await register(messenger(), { invite: (await serverInvite(messenger())).token });
    const created = await invite(messenger(), first);
    expect(created).toMatchObject({ createdBy: first.user.id, url: expect.stringMatching(/^http:.*\/invite#[\w-]+$/) });
    expect((await register(messenger(), { invite: created.token })).status).toBe(201);
  });

  test("users see and revoke their own invites only", async () => {
    const two = await serverInvite(messenger(), { maxUses: 2 });
    const one = (await register(messenger(), { invite: two.token })).body;
    const other = (await register(messenger(), { invite: two.token })).body;
    const { id } = await invite(messenger(), one);
    const list = async ({ token }: { token: string }) =>
      (await messenger().http("GET", "/invites", { token })).body.data.map((row: { id: number }) => row.id);
    expect([await list(one), await list(other)]).toEqual([[id], []]);
    const revoke = ({ token }: { token: string }) => messenger().http("DELETE", `/invites/${id}`, { token });
    expect([(await revoke(other)).status, (await revoke(one)).status]).toEqual([404, 204]);
  });

  test("the policy is in the line at start and in GET /api/info", async () => {
    expect(log.output).toContain("registration invite,");
    expect((await messenger().http("GET", "/api/info")).body).toMatchObject({
      registration: "invite",
      invitesBy: "members",
    });
  });
});

describe("with REGISTRATION=closed and REGISTRATION_DOMAINS", () => {
  const log = new LogLines();
  const settings = { REGISTRATION: "closed", REGISTRATION_DOMAINS: "Example.test,büro.test" };
  const messenger = useMessenger(settings, log.log);
  const closed = { status: 403, body: { code: "REGISTRATION_CLOSED" } };

  test("nobody can register without an invite, and only with an address of these domains with one", async () => {
    expect(await register(messenger())).toMatchObject(closed);
    const { token } = await serverInvite(messenger(), { maxUses: 10 });
    for (const email of ["a@example.org", "a@sub.example.test", "a@example.test.org", "a@notexample.test"]) {
      expect(await register(messenger(), { invite: token, email })).toMatchObject({
        ...closed,
        body: { ...closed.body, field: "body.email", detail: expect.stringContaining("example.test, büro.test") },
      });
    }
    for (const email of ["a@EXAMPLE.TEST", "b@BÜRO.test", "c@bu\u0308ro.test"]) {
      expect((await register(messenger(), { invite: token, email })).status).toBe(201);
    }
  });

  test("a new e-mail address has to be of these domains too", async () => {
    const { body } = await register(messenger(), { invite: (await serverInvite(messenger())).token });
    const change = (email: string) =>
      messenger().http("PATCH", "/users/me", { token: body.token, body: { email, password } });
    expect(await change("new@example.org")).toMatchObject(closed);
    expect(await change("new@example.test")).toMatchObject({ status: 200, body: { email: "new@example.test" } });
  });

  test("an invite for an address of another domain is refused", async () => {
    const { body } = await register(messenger(), { invite: (await serverInvite(messenger())).token });
    await messenger().sql("UPDATE users SET role = 'admin' WHERE id = $id", { id: body.user.id });
    const create = (email: string) => messenger().http("POST", "/invites", { token: body.token, body: { email } });
    expect(await create("a@example.org")).toMatchObject(closed);
    expect((await create("a@example.test")).status).toBe(201);
  });

  test("the line at start names the domains", () => {
    expect(log.output).toContain("registration closed for example.test büro.test,");
  });
});

describe("reading invites", () => {
  const messenger = useMessenger({ RATE_LIMITS: "on", LIMIT_RECONNECTS_PER_ADDRESS: "3+1/9999s" });

  test("is limited per address", async () => {
    const statuses = [];
    for (let time = 0; time < 4; time++) statuses.push((await messenger().http("GET", "/invites/x")).status);
    expect(statuses).toEqual([404, 404, 404, 429]);
  });
});

describe("in production", () => {
  const warnings = (settings: Record<string, string>) => {
    const required = { NODE_ENV: "production", JWT_SECRET: "0123456789abcdefghijklmnopqrstuvwxyz", BCRYPT_COST: "10" };
    return productionWarnings(readSettings({ ...required, DATABASE_URL: "postgres://127.0.0.1/x", ...settings }));
  };

  test("open registration without a list of domains is warned of", () => {
    expect(warnings({})).toEqual([expect.stringMatching(/REGISTRATION=invite or REGISTRATION_DOMAINS/)]);
    for (const REGISTRATION of ["invite", "closed"]) expect(warnings({ REGISTRATION })).toEqual([]);
  });

  test("a list of domains without verification of addresses is warned of", () => {
    expect(warnings({ REGISTRATION_DOMAINS: "a.b" })).toEqual([expect.stringMatching(/EMAIL_VERIFICATION=required/)]);
    const mail = { SMTP_URL: "smtp://127.0.0.1", MAIL_FROM: "chat@a.b", PUBLIC_URL: "https://chat.a.b" };
    expect(warnings({ REGISTRATION_DOMAINS: "a.b", EMAIL_VERIFICATION: "required", ...mail })).toEqual([]);
  });
});

test.each(["@example.org", "https://example.org", "a.b,", "a.b, c.d", "a@b.c"])(
  "REGISTRATION_DOMAINS=%s is refused",
  (value) => {
    expect(() => readSettings({ REGISTRATION_DOMAINS: value })).toThrow(
      /REGISTRATION_DOMAINS.*domains such as example.org/,
    );
  },
);
