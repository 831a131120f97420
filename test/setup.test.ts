import { beforeEach, describe, expect, test } from "@jest/globals";
import { audited, tokenOf } from "./support/admin.ts";
import { registerSecret } from "./support/leak-scan.ts";
import { password, useMessenger } from "./support/messenger.ts";

/* The first administrator. */

const messenger = useMessenger({ PUBLIC_URL: "https://chat.example.org" });

beforeEach(async () => {
  await messenger().sql("UPDATE users SET role = 'user'");
});

let emailCount = 0;
const freshEmail = () => `grace.${++emailCount}@example.test`;
const admins = () => messenger().sql("SELECT FROM users WHERE role = 'admin'");

/** The token of a new link. */
async function setupToken(): Promise<string> {
  const { url } = await messenger().administration.setupLink.make();
  expect(url).toMatch(/^https:\/\/chat\.example\.org\/setup#[\w-]{43}$/);
  registerSecret(tokenOf(url), "text");
  return tokenOf(url);
}

const body = { password, firstName: "Grace", lastName: "Hopper" };
const setUp = (token: string, given: object = {}) =>
  messenger().http("POST", "/auth/setup", { body: { ...body, email: freshEmail(), token, ...given } });
const invalid = { status: 403, body: { code: "TOKEN_INVALID" } };

describe("the set-up", () => {
  test("creates an administrator who is logged in, once", async () => {
    const token = await setupToken();
    const email = freshEmail();
    const answer = await setUp(token, { email });
    expect(answer).toMatchObject({
      status: 201,
      body: {
        user: { email, firstName: "Grace", lastName: "Hopper", role: "admin" },
        token: expect.any(String),
        refreshToken: expect.any(String),
      },
    });
    const { user, token: session } = answer.body;
    expect((await messenger().http("GET", "/admin/stats", { token: session })).status).toBe(200);
    expect(await setUp(token)).toMatchObject(invalid);
    expect(await audited(messenger(), user)).toEqual([
      { source: "http", actorId: user.id, action: "setup", targetId: user.id, details: {} },
    ]);
    await expect(messenger().administration.setupLink.make()).rejects.toMatchObject({ kind: "conflict" });
  });

  test("is refused for unknown, replaced and expired links, and stores nothing", async () => {
    const [replaced, token] = [await setupToken(), await setupToken()];
    expect(await setUp("unknown")).toMatchObject(invalid);
    expect(await setUp(replaced)).toMatchObject(invalid);
    await messenger().sql("UPDATE one_time_tokens SET expires_at = now()");
    expect(await setUp(token)).toMatchObject(invalid);
    expect(await admins()).toEqual([]);
  });

  test("is refused once there is an administrator, however they became one", async () => {
    const token = await setupToken();
    const { id } = await messenger().person();
    await messenger().sql("UPDATE users SET role = 'admin' WHERE id = $id", { id });
    expect(await setUp(token)).toMatchObject(invalid);
    expect(await admins()).toHaveLength(1);
  });

  test("leaves the link valid if the input is rejected", async () => {
    const token = await setupToken();
    const { email } = await messenger().person();
    expect((await setUp(token, { email })).body.code).toBe("EMAIL_TAKEN");
    expect((await setUp(token, { password: "password1" })).body.code).toBe("VALIDATION");
    expect((await setUp(token)).status).toBe(201);
  });

  test("makes one administrator of several requests at the same time", async () => {
    const token = await setupToken();
    const answers = await Promise.all([setUp(token), setUp(token), setUp(token), setUp(token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403]);
    expect(await admins()).toHaveLength(1);
  });

  test("makes nobody an administrator who only registers", async () => {
    const person = await messenger().person();
    const { body: profile } = await messenger().http("GET", "/users/me", { token: person.token });
    expect(profile.role).toBe("user");
    expect((await messenger().http("GET", "/admin/users", { token: person.token })).status).toBe(403);
  });
});
