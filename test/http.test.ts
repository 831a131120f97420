import { describe, expect, test } from "@jest/globals";
import jwt from "jsonwebtoken";
import { password, type TestUser, useMessenger } from "./support/messenger.ts";

/*
 * The HTTP API as clients see it: accounts, users, and the form of all errors. One file despite its length, because all
 * tests share one server, which takes longer to start than most of them to run.
 */

const messenger = useMessenger({ RATE_LIMITS: "off" });

type Answer = Awaited<ReturnType<ReturnType<typeof messenger>["http"]>>;

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const anId = expect.any(Number);
const internals = /\bSQL|SELECT |INSERT |sequelize|postgres|pglite|violates|constraint|\.[jt]s\b|\bat .+:\d+|<\/?\w+>/i;

/** Expects an error in the common form. */
function expectProblem(answer: Answer, status: number, code: string, detail = /./): void {
  expect({ status: answer.status, ...answer.body }).toEqual({
    type: "about:blank",
    title: expect.stringMatching(/^[A-Z]/),
    status,
    code,
    detail: expect.stringMatching(detail),
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    ...("field" in answer.body && { field: expect.stringMatching(/^(body|query|path)\b/) }),
  });
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json\b/);
  expect(JSON.stringify(answer.body)).not.toMatch(internals);
  if (status === 401) expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  expectHeaders(answer);
}

/** Expects the headers of every response. */
function expectHeaders({ headers }: Answer): void {
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("x-powered-by")).toBeNull();
  expect(headers.get("x-content-type-options")).toBe("nosniff");
}

let emailCount = 0;
const freshEmail = () => `someone.${++emailCount}@example.test`;

const register = (given: object) =>
  messenger().http("POST", "/auth/register", { body: { email: freshEmail(), password, firstName: "Ada", ...given } });
const logIn = (email: string, givenPassword = password) =>
  messenger().http("POST", "/auth/login", { body: { email, password: givenPassword } });
const me = (method: string, token: string, body?: unknown) => messenger().http(method, "/users/me", { token, body });
const changePassword = (token: string, oldPassword: string, newPassword: string) =>
  messenger().http("PUT", "/users/me/password", { token, body: { oldPassword, newPassword } });

/** Lists all users, page by page. */
async function listAll(token: string, limit = 100): Promise<{ id: number; firstName: string }[]> {
  const people = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, body }: Answer = await messenger().http(
      "GET",
      `/users?limit=${limit}${cursor && `&cursor=${cursor}`}`,
      {
        token,
      },
    );
    expect(status).toBe(200);
    expect(body.data.length).toBeLessThanOrEqual(limit);
    people.push(...body.data);
    cursor = body.nextCursor;
  }
  return people;
}

describe("registration", () => {
  test("returns the account, an access token valid for a day and a refresh token", async () => {
    const email = freshEmail();
    const before = Math.floor(Date.now() / 1000) * 1000;
    const answer = await register({ email, firstName: "Ada", lastName: "Lovelace" });
    expect(answer.status).toBe(201);
    expectHeaders(answer);
    expect(answer.body).toEqual({
      user: {
        id: anId,
        email,
        pendingEmail: null,
        role: "user",
        firstName: "Ada",
        lastName: "Lovelace",
        createdAt: time,
      },
      token: expect.any(String),
      expiresAt: time,
      refreshToken: expect.stringMatching(/^[\w.-]{32,}$/),
    });
    const lifetime = Date.parse(answer.body.expiresAt) - before;
    expect(lifetime).toBeGreaterThanOrEqual(86_400_000);
    expect(lifetime).toBeLessThan(86_400_000 + 60_000);
    const profile = await me("GET", answer.body.token);
    expect(profile).toMatchObject({ status: 200, body: answer.body.user });
    expectHeaders(profile);
  });

  test("puts only ids and times into the token", async () => {
    const email = freshEmail();
    const { body } = await register({ email, firstName: "Secretname", lastName: "Familyname" });
    const { id } = body.user;
    const claims = jwt.decode(body.token, { complete: true });
    const number = expect.any(Number);
    expect(claims?.header).toEqual({ alg: "HS256", typ: "JWT" });
    expect(claims?.payload).toEqual({
      sub: String(id),
      id,
      sid: number,
      iat: number,
      exp: Date.parse(body.expiresAt) / 1000,
      iss: expect.any(String),
      aud: expect.any(String),
    });
    expect(JSON.stringify(claims?.payload)).not.toMatch(/secretname|familyname|example/i);
  });

  test("without a last name stores null", async () => {
    const { body } = await register({});
    expect(body.user.lastName).toBeNull();
  });

  test("with an e-mail address in use, in any letter case, returns EMAIL_TAKEN", async () => {
    const email = `Case.${freshEmail()}`;
    expect((await register({ email })).body.user.email).toBe(email);
    for (const same of [email, email.toLowerCase(), email.toUpperCase()]) {
      expectProblem(await register({ email: same }), 409, "EMAIL_TAKEN");
    }
  });

  test("of two concurrent ones with the same address creates one account", async () => {
    for (let round = 0; round < 5; round++) {
      const email = freshEmail();
      const answers = await Promise.all([register({ email }), register({ email: email.toUpperCase() })]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    }
  });

  test.each([
    ["a .test domain", "ada@sub.example.test"],
    ["a .local domain", "ada@printer.local"],
    ["a bare host", "ada@localhost"],
    ["a plus and dots", "a.d.a+messenger@example.org"],
    ["an apostrophe", "o'brien@example.org"],
    ["other alphabets", "адам@пример.рф"],
    ["254 characters", `${"a".repeat(64)}@${"b".repeat(61)}.${"c".repeat(61)}.${"d".repeat(60)}.test`],
  ])("accepts an e-mail address with %s", async (_what, email) => {
    const { status, body } = await register({ email });
    expect({ status, email: body.user?.email }).toEqual({ status: 201, email });
    expect((await logIn(email)).status).toBe(200);
  });

  test.each([
    ["no @", "ada.example.org"],
    ["two @", "ada@home@example.org"],
    ["nothing before the @", "@example.org"],
    ["nothing after the @", "ada@"],
    ["a space", "ada lovelace@example.org"],
    ["a space in front", " ada@example.org"],
    ["a line break", "ada@example.org\n"],
    ["255 characters", `${"a".repeat(64)}@${"b".repeat(61)}.${"c".repeat(61)}.${"d".repeat(61)}.test`],
    ["U+0000", "ada\u0000@example.org"],
    ["a lone surrogate", "ada\ud800@example.org"],
    ["no text at all", ""],
    ["a number", 7],
    ["null", null],
    ["a list", ["ada@example.org"]],
  ])("rejects an e-mail address with %s", async (_what, email) => {
    expectProblem(await register({ email }), 400, "VALIDATION", /^"email" /);
    expectProblem(
      await messenger().http("POST", "/auth/login", { body: { email, password } }),
      400,
      "VALIDATION",
      /^"email" /,
    );
  });

  test.each([
    ["U+0000", "A\u0000"],
    ["a lone surrogate", "\ud83d"],
    ["65 characters", "x".repeat(65)],
    ["nothing", ""],
    ["only spaces", " \u00a0\n"],
    ["a number", 1],
    ["a list", ["Ada"]],
    ["an object", { $ne: null }],
  ])("rejects a name of %s, and so does a change of the name", async (_what, name) => {
    const { token } = await messenger().person();
    for (const field of ["firstName", "lastName"]) {
      expectProblem(await register({ [field]: name }), 400, "VALIDATION", new RegExp(`^"${field}" `));
      expectProblem(await me("PATCH", token, { [field]: name }), 400, "VALIDATION", new RegExp(`^"${field}" `));
    }
  });

  test("stores any valid name unchanged", async () => {
    const names = ["'); DROP TABLE users; --", "<b>Ada</b>", "$1 :name \\", "👩‍👩‍👧‍👦", "x".repeat(64), "עדה", " Ada "];
    for (const name of names) {
      const { status, body } = await register({ firstName: name, lastName: name });
      expect(status).toBe(201);
      expect(body.user).toMatchObject({ firstName: name, lastName: name });
      expect((await me("GET", body.token)).body).toMatchObject({ firstName: name, lastName: name });
    }
  });
});

describe("a password", () => {
  /** Passwords of 72 bytes, each with one that differs only in the last byte. */
  const longest = [
    ["letters", "a1b2c3d4".repeat(9), `${"a1b2c3d4".repeat(8)}a1b2c3d5`],
    ["two bytes each", "é".repeat(36), `${"é".repeat(35)}è`],
    ["four bytes each", "🔑".repeat(18), `${"🔑".repeat(17)}🔒`],
  ] as const;

  test.each([
    ["73 letters", "x".repeat(73)],
    ["37 letters of two bytes, which are 74,", "é".repeat(37)],
    ["72 bytes of emoji and one more", `${"🔑".repeat(18)}x`],
  ])("of %s is too long at registration, log-in and change", async (_what, tooLong) => {
    const { email, token } = await messenger().person();
    expectProblem(await register({ password: tooLong }), 400, "VALIDATION", /^"password" must be at most 72 bytes/);
    expectProblem(await logIn(email, tooLong), 400, "VALIDATION", /^"password" must be at most 72 bytes/);
    expectProblem(await changePassword(token, password, tooLong), 400, "VALIDATION", /^"newPassword" .*72 bytes/);
    expectProblem(await changePassword(token, tooLong, password), 400, "VALIDATION", /^"oldPassword" .*72 bytes/);
    expect((await logIn(email)).status).toBe(200);
  });

  test.each(longest)("of 72 bytes (%s) works and is compared to the last byte", async (_what, right, almost) => {
    expect([right, almost].map((text) => Buffer.byteLength(text))).toEqual([72, 72]);
    const email = freshEmail();
    expect((await register({ email, password: right })).status).toBe(201);
    expect((await logIn(email, right)).status).toBe(200);
    expectProblem(await logIn(email, almost), 401, "BAD_CREDENTIALS");
    expectProblem(await logIn(email, [...right].slice(0, -1).join("")), 401, "BAD_CREDENTIALS");
  });

  test.each(["7 chars", "", "        ", null, 12_345_678, ["correct horse"], "with\u0000zero", "half \ud83d pair"])(
    "such as %j is rejected at registration and change",
    async (bad) => {
      const { token } = await messenger().person();
      expectProblem(await register({ password: bad }), 400, "VALIDATION", /^"password" /);
      const change = { token, body: { oldPassword: password, newPassword: bad } };
      expectProblem(await messenger().http("PUT", "/users/me/password", change), 400, "VALIDATION", /^"newPassword" /);
    },
  );

  test.each(["password1", "PassWord1", "iloveyou", "12345678"])(
    "that is common (%s) is rejected at registration and change",
    async (commonPassword) => {
      const { email, token } = await messenger().person();
      expectProblem(await register({ password: commonPassword }), 400, "VALIDATION", /password is too common/);
      expectProblem(await changePassword(token, password, commonPassword), 400, "VALIDATION", /password is too common/);
      expect((await logIn(email)).status).toBe(200);
    },
  );
});

describe("log-in", () => {
  test("returns the same fields as registration, in any letter case of the address", async () => {
    const email = `Mixed.Case.${freshEmail()}`;
    const registered = (await register({ email })).body;
    for (const typed of [email, email.toLowerCase(), email.toUpperCase()]) {
      const answer = await logIn(typed);
      expect(answer.status).toBe(200);
      expect(Object.keys(answer.body)).toEqual(Object.keys(registered));
      expect(answer.body.user).toEqual(registered.user);
      expect(answer.body.token).not.toBe(registered.token);
      expect(answer.body.refreshToken).not.toBe(registered.refreshToken);
      expectHeaders(answer);
    }
  });

  test("returns the same error for an unknown address and a wrong password", async () => {
    const { email } = await messenger().person();
    const answers = [await logIn(email, "not the password"), await logIn(freshEmail(), "not the password")];
    for (const answer of answers) expectProblem(answer, 401, "BAD_CREDENTIALS");
    const [known, unknown] = answers.map(({ body: { requestId: _own, ...body } }) => body);
    expect(known).toEqual(unknown);
  });

  test("is case-sensitive in the password", async () => {
    const { email } = await messenger().person();
    expectProblem(await logIn(email, password.toUpperCase()), 401, "BAD_CREDENTIALS");
  });
});

describe("a request body", () => {
  const wellFormed = () => ({ email: freshEmail(), password, firstName: "Ada" });

  test.each(["isAdmin", "id", "passwordHash", "constructor", "toString"])(
    "with the unknown key %s is rejected with the name of the key",
    async (key) => {
      const { token } = await messenger().person();
      const named = new RegExp(`^"${key}" is not allowed`);
      expectProblem(await register({ [key]: true }), 400, "VALIDATION", named);
      expectProblem(await me("PATCH", token, { firstName: "Ada", [key]: 1 }), 400, "VALIDATION", named);
      expectProblem(await me("DELETE", token, { password, [key]: 1 }), 400, "VALIDATION", named);
      expect((await me("GET", token)).status).toBe(200);
    },
  );

  test.each(['{"isAdmin":true}', "null", '"x"', "[]"])(
    "with the key __proto__ and the value %s is rejected",
    async (value) => {
      const text = JSON.stringify(wellFormed());
      const top = `${text.slice(0, -1)},"__proto__":${value}}`;
      const answer = await messenger().http("POST", "/auth/register", { body: top });
      expectProblem(answer, 400, "VALIDATION", /"__proto__" is not allowed/);
      const { token } = await messenger().person();
      expectProblem(
        await me("PATCH", token, `{"firstName":"Ada","__proto__":${value}}`),
        400,
        "VALIDATION",
        /__proto__/,
      );
      expect((await me("GET", token)).body.firstName).not.toBe("Ada");
    },
  );

  test.each([undefined, [], [{}], {}])("that is %j is rejected", async (body) => {
    const { token } = await messenger().person();
    const rejections = [
      await messenger().http("POST", "/auth/register", { body }),
      await messenger().http("POST", "/auth/login", { body }),
      await me("PATCH", token, body),
      await me("DELETE", token, body),
      await messenger().http("PUT", "/users/me/password", { token, body }),
    ];
    for (const rejection of rejections) expectProblem(rejection, 400, "VALIDATION", /^"\w+" (is required|must )/);
    expect((await me("GET", token)).status).toBe(200);
  });

  test("without a required field is rejected with the name of the field", async () => {
    for (const field of ["email", "password", "firstName"]) {
      const answer = await register({ [field]: undefined });
      expectProblem(answer, 400, "VALIDATION", new RegExp(`^"${field}" is required$`));
    }
  });

  test.each([
    ["an open brace", "{"],
    ["cut off", '{"email":'],
    ["quoted with apostrophes", "{'email':1}"],
    ["a word", "hello"],
    ["two objects", '{"email":"a"} {}'],
    ["8,000 open brackets", "[".repeat(8000)],
    ["null", "null"],
    ["a text", '"text"'],
    ["a number", "7"],
  ])("that is %s returns BAD_JSON", async (_what, body) => {
    const { token } = await messenger().person();
    const expected = [400, "BAD_JSON", /^The body must be one JSON object$/] as const;
    expectProblem(await messenger().http("POST", "/auth/register", { body }), ...expected);
    expectProblem(await messenger().http("POST", "/auth/login", { body }), ...expected);
    expectProblem(await me("PATCH", token, body), ...expected);
    expectProblem(await me("DELETE", token, body), ...expected);
    expectProblem(await messenger().http("PUT", "/users/me/password", { token, body }), ...expected);
    expect((await me("GET", token)).status).toBe(200);
  });

  test("nested deeper than the stack is rejected like any other", async () => {
    const body = `{"email":${"[".repeat(8000)}${"]".repeat(8000)}}`;
    expectProblem(await messenger().http("POST", "/auth/register", { body }), 400, "VALIDATION", /^"email" /);
  });

  test.each([17_000, 500_000])("of %i bytes returns TOO_LARGE", async (size) => {
    const { token } = await messenger().person();
    expectProblem(await register({ firstName: "x".repeat(size) }), 413, "TOO_LARGE");
    expectProblem(await me("PATCH", token, { firstName: "x".repeat(size) }), 413, "TOO_LARGE");
  });

  test("of exactly 16 KiB is accepted", async () => {
    const text = JSON.stringify(wellFormed());
    const answer = await messenger().http("POST", "/auth/register", {
      body: text + " ".repeat(16 * 1024 - text.length),
    });
    expect(answer.status).toBe(201);
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"])(
    "of the media type %s is ignored",
    async (type) => {
      const body = JSON.stringify(wellFormed());
      const answer = await messenger().http("POST", "/auth/register", { body, headers: { "content-type": type } });
      expectProblem(answer, 400, "VALIDATION", /^"body" is required$/);
    },
  );

  test("in an unsupported charset or encoding returns 415", async () => {
    const body = JSON.stringify(wellFormed());
    for (const headers of [
      { "content-type": "application/json; charset=iso-8859-1" },
      { "content-type": "application/json", "content-encoding": "rot13" },
    ]) {
      expectProblem(await messenger().http("POST", "/auth/register", { body, headers }), 415, "VALIDATION");
    }
  });
});

describe("an account", () => {
  test("returns and changes its names", async () => {
    const { id, email, token } = await messenger().person("Before");
    const changed = await me("PATCH", token, { firstName: "After", lastName: "Wards" });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({
      id,
      email,
      pendingEmail: null,
      role: "user",
      firstName: "After",
      lastName: "Wards",
      createdAt: time,
    });
    expectHeaders(changed);
    expect((await me("GET", token)).body).toEqual(changed.body);
    expect((await me("PATCH", token, { lastName: null })).body).toEqual({ ...changed.body, lastName: null });
    expectProblem(await me("PATCH", token, { firstName: null }), 400, "VALIDATION", /^"firstName" /);
  });

  test("changes its e-mail address only with the password", async () => {
    const { email, token } = await messenger().person();
    const other = freshEmail();
    expectProblem(await me("PATCH", token, { email: other }), 403, "REAUTH_REQUIRED");
    expectProblem(await me("PATCH", token, { email: other, password: "not the password" }), 403, "REAUTH_REQUIRED");
    expectProblem(await me("PATCH", token, { email: other, firstName: "Sneaky" }), 403, "REAUTH_REQUIRED");
    expect((await me("GET", token)).body).toMatchObject({ email });
    expect((await me("GET", token)).body.firstName).not.toBe("Sneaky");
    expect((await logIn(email)).status).toBe(200);
  });

  test("that changes its e-mail address frees the old one and occupies the new one", async () => {
    const { id, email, token } = await messenger().person();
    const other = `New.${freshEmail()}`;
    expect((await me("PATCH", token, { email: other, password })).body).toMatchObject({ id, email: other });
    expectProblem(await logIn(email), 401, "BAD_CREDENTIALS");
    expect((await logIn(other.toUpperCase())).body.user).toMatchObject({ id, email: other });
    expectProblem(await register({ email: other.toLowerCase() }), 409, "EMAIL_TAKEN");
    const successor = await register({ email });
    expect(successor.status).toBe(201);
    expectProblem(await me("PATCH", successor.body.token, { email: other, password }), 409, "EMAIL_TAKEN");
    expect((await me("GET", successor.body.token)).body.email).toBe(email);
  });

  test("can change the letter case of its e-mail address", async () => {
    const { email, token } = await messenger().person();
    expect((await me("PATCH", token, { email: email.toUpperCase(), password })).body.email).toBe(email.toUpperCase());
  });

  test("with a changed password keeps the current session and ends all others with their sockets", async () => {
    const { email, token: here } = await messenger().person();
    const { token: there } = (await logIn(email)).body;
    const [deviceHere, deviceThere] = [await messenger().connect(here), await messenger().connect(there)];
    expectProblem(await changePassword(here, "not the password", "another long sentence"), 403, "REAUTH_REQUIRED");
    expect((await me("GET", there)).status).toBe(200);

    const changed = await changePassword(here, password, "another long sentence");
    expect([changed.status, changed.body]).toEqual([204, ""]);
    expectHeaders(changed);
    expect((await deviceThere.closed).code).toBe(4401);
    expectProblem(await me("GET", there), 401, "UNAUTHENTICATED");
    await expect(messenger().connect(there)).rejects.toThrow("401");
    expect((await me("GET", here)).status).toBe(200);
    await deviceHere.settle();
    expectProblem(await logIn(email), 401, "BAD_CREDENTIALS");
    expect((await logIn(email, "another long sentence")).status).toBe(200);
  });

  test("is deleted only with its password; its sockets, tokens, name and e-mail address are then gone", async () => {
    const [gone, other] = [await messenger().person("Vanishing"), await messenger().person()];
    const { token: secondToken } = (await logIn(gone.email)).body;
    const devices = [await gone.connect(), await messenger().connect(secondToken)];
    expectProblem(await me("DELETE", gone.token, { password: "not the password" }), 403, "REAUTH_REQUIRED");
    expect(await listAll(other.token)).toContainEqual({ id: gone.id, firstName: "Vanishing", lastName: null });

    const deleted = await me("DELETE", gone.token, { password });
    expect([deleted.status, deleted.body]).toEqual([204, ""]);
    for (const device of devices) expect((await device.closed).code).toBe(4403);
    for (const token of [gone.token, secondToken]) {
      expectProblem(await me("GET", token), 401, "UNAUTHENTICATED");
      await expect(messenger().connect(token)).rejects.toThrow("401");
    }
    expectProblem(await logIn(gone.email), 401, "BAD_CREDENTIALS");
    const people = await listAll(other.token);
    expect(people.map(({ id }) => id)).not.toContain(gone.id);
    expect(JSON.stringify(people)).not.toContain("Vanishing");
    expectProblem(await messenger().http("GET", `/users/${gone.id}`, { token: other.token }), 404, "NOT_FOUND");
    const successor = await register({ email: gone.email.toUpperCase() });
    expect(successor.status).toBe(201);
    expect(successor.body.user.id).not.toBe(gone.id);
  });
});

describe("users", () => {
  test("are listed in pages, each once, with names only", async () => {
    const made: TestUser[] = [];
    for (let n = 0; n < 7; n++) made.push(await messenger().person());
    const { token } = made[0] ?? { token: "" };
    const all = await listAll(token);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.map(({ id }) => id)).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    for (const person of all) expect(Object.keys(person)).toEqual(["id", "firstName", "lastName"]);
    expect(JSON.stringify(all)).not.toMatch(/@|\$2[aby]\$/);
    for (const limit of [7, 50, Math.min(100, all.length)]) expect(await listAll(token, limit)).toEqual(all);
  });

  test("can be read by id", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const answer = await messenger().http("GET", `/users/${bob.id}`, { token: ann.token });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ id: bob.id, firstName: bob.firstName, lastName: null });
    expectHeaders(answer);
  });

  test.each([
    "0",
    "-1",
    "1.5",
    "abc",
    "9007199254740992",
    "1e9",
    "1e400",
    "NaN",
    "%00",
    "1%27--",
    "[object Object]",
    "null",
  ])("are not found by the malformed id %s", async (id) => {
    const { token } = await messenger().person();
    const answer = await messenger().http("GET", `/users/${id}`, { token });
    expectProblem(answer, 400, "VALIDATION", /^"id" must/);
  });

  test.each(["999999999", "9007199254740991"])("are not found by the unknown id %s", async (id) => {
    const { token } = await messenger().person();
    const answer = await messenger().http("GET", `/users/${id}`, { token });
    expectProblem(answer, 404, "NOT_FOUND", /^There is no such user$/);
  });

  test("are not found at a path that cannot be decoded", async () => {
    const { token } = await messenger().person();
    expectProblem(await messenger().http("GET", "/users/%zz", { token }), 400, "VALIDATION");
  });

  test.each([
    ["limit=0", /^"limit" must be greater/],
    ["limit=101", /^"limit" must be less/],
    ["limit=abc", /^"limit" must be a number/],
    ["limit=1.5", /^"limit" must be an integer/],
    ["limit=", /^"limit" must/],
    ["limit=1&limit=2", /^"limit" must/],
    ["cursor=abc", /^"cursor" must be the one that came with the previous page/],
    ["cursor=-1", /^"cursor" must/],
    ["cursor=", /^"cursor" must/],
    ["cursor=9999999999999999", /^"cursor" must/],
    ["cursor=1;DROP%20TABLE%20users", /^"cursor" must/],
    ["cursor[$gt]=1", /^"cursor\[\$gt\]" is not allowed/],
    ["offset=1", /^"offset" is not allowed/],
    ["__proto__=1", /^"__proto__" is not allowed/],
  ])("are not listed for the invalid query %s", async (query, detail) => {
    const { token } = await messenger().person();
    const answer = await messenger().http("GET", `/users?${query}`, { token });
    expectProblem(answer, 400, "VALIDATION", detail);
  });

  test("are an empty page after the last one", async () => {
    const { token } = await messenger().person();
    const { body } = await messenger().http(
      "GET",
      `/users?cursor=${Buffer.from("999999999999999").toString("base64url")}`,
      { token },
    );
    expect(body).toEqual({ data: [], nextCursor: null });
  });
});

describe("a path", () => {
  const closed: [method: string, path: string][] = [
    ["GET", "/users/me"],
    ["PATCH", "/users/me"],
    ["DELETE", "/users/me"],
    ["PUT", "/users/me/password"],
    ["GET", "/users"],
    ["GET", "/users/1"],
  ];

  test.each(closed)("%s %s requires a valid token", async (method, path) => {
    const { token } = await messenger().person();
    const [head, , signature] = token.split(".");
    const forged = `${head}.${Buffer.from('{"sub":"1","id":1,"sid":1}').toString("base64url")}.${signature}`;
    const invalidHeaders: Record<string, string>[] = [
      {},
      { authorization: "Bearer" },
      { authorization: "Bearer garbage" },
      { authorization: `Bearer ${forged}` },
      { authorization: `Bearer ${token}x` },
      { authorization: `Basic ${token}` },
      { authorization: token },
    ];
    const body = method === "GET" ? {} : { body: {} };
    for (const headers of invalidHeaders) {
      expectProblem(await messenger().http(method, path, { headers, ...body }), 401, "UNAUTHENTICATED");
    }
    expectProblem(await messenger().http(method, `${path}?token=${token}`, body), 401, "UNAUTHENTICATED");
  });

  test("accepts the authentication scheme in any letter case", async () => {
    const { token } = await messenger().person();
    for (const scheme of ["bearer", "BEARER"]) {
      const headers = { authorization: `${scheme} ${token}` };
      expect((await messenger().http("GET", "/users/me", { headers })).status).toBe(200);
    }
  });

  test.each(["/nowhere", "/", "/auth", "/auth/register/x", "/users/1/secrets", "/.env", "/__proto__", "/constructor"])(
    "that does not exist (%s) returns NOT_FOUND",
    async (path) => {
      const { token } = await messenger().person();
      for (const method of ["GET", "POST"]) {
        expectProblem(await messenger().http(method, path, { token }), 404, "NOT_FOUND");
      }
    },
  );

  test.each([
    ["GET", "/auth/register", "POST"],
    ["DELETE", "/auth/login", "POST"],
    ["POST", "/users/me", "GET, PATCH, DELETE"],
    ["PUT", "/users/me", "GET, PATCH, DELETE"],
    ["GET", "/users/me/password", "PUT"],
    ["POST", "/users", "GET"],
    ["DELETE", "/users/1", "GET"],
  ])("returns METHOD_NOT_ALLOWED for %s %s", async (method, path, allowed) => {
    const { token } = await messenger().person();
    const answer = await messenger().http(method, path, { token });
    expectProblem(answer, 405, "METHOD_NOT_ALLOWED");
    expect(answer.headers.get("allow")).toBe(allowed);
  });

  test.each([
    ["live", {}],
    ["ready", { checks: { server: "ok", database: "ok", migrations: "ok", bus: "ok" } }],
  ])("/health reports that the server is %s, and the state of its parts", async (what, more) => {
    const answer = await messenger().http("GET", `/health/${what}`);
    expect([answer.status, answer.body]).toEqual([200, { status: what, ...more }]);
    expect(answer.headers.get("x-powered-by")).toBeNull();
  });

  test("/health/ready reports a migration that the database lacks", async () => {
    const lastMigration = '(SELECT max(name) FROM "SequelizeMeta")';
    const ready = () => messenger().http("GET", "/health/ready");
    await messenger().sql(`UPDATE "SequelizeMeta" SET name = 'x' || name WHERE name = ${lastMigration}`);
    const { status, body } = await ready();
    await messenger().sql(`UPDATE "SequelizeMeta" SET name = substr(name, 2) WHERE name = ${lastMigration}`);
    expect([status, body.checks.migrations]).toEqual([503, "1 missing: restart the server"]);
    expect((await ready()).status).toBe(200);
  });
});
