import { execFile } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { fromCommandLine } from "../src/domain/administration.ts";
import { RefreshTokens } from "../src/services/accounts/refresh-tokens.ts";
import { Tokens } from "../src/services/accounts/tokens.ts";
import { offlineAdministration } from "../src/services/administration/offline-administration.ts";
import { makeDatabase, onServer, type TestDatabase } from "./support/databases.ts";
import { Device } from "./support/device.ts";
import { password, TestMessenger, type TestUser, useMessenger } from "./support/messenger.ts";
import { silentLog } from "./support/silent.ts";

/*
 * Sessions: the exchange of their tokens, and that nothing of an ended session works or stays open. One file despite its
 * length, because its tests share one server and the signed tokens.
 */

const secret = "only for the tests of log-ins, and long enough";
const day = 24 * 60 * 60;

/** A session as its client knows it. */
interface LogIn {
  id: number;
  userId: number;
  token: string;
  refreshToken: string;
  expiresAt: string;
}

const endedAndClosed = { code: 4401 };

describe("a session", () => {
  const messenger = useMessenger({ JWT_SECRET: secret });
  const logIn = (person: TestUser, userAgent?: string) => logInTo(messenger(), person, userAgent);

  /** A user with one session besides that of the registration. */
  async function userWithSession() {
    const person = await messenger().person();
    return { person, session: await logIn(person) };
  }

  const exchange = (refreshToken: string) => refresh(messenger(), refreshToken);

  const refreshError = async (refreshToken: string) => {
    const { status, body } = await messenger().http("POST", "/auth/refresh", { body: { refreshToken } });
    return { status, code: body.code };
  };

  const statusOf = async (token: string) => (await messenger().http("GET", "/users/me", { token })).status;
  const list = async (token: string) => (await messenger().http("GET", "/auth/sessions", { token })).body.data;
  const endById = async (id: number | string, token: string) =>
    messenger().http("DELETE", `/auth/sessions/${id}`, { token });
  const backdate = (column: "refreshed_at" | "last_used_at", { id }: LogIn, seconds: number) =>
    messenger().sql(
      `UPDATE sessions SET ${column} = clock_timestamp() - make_interval(secs => $seconds) WHERE id = $id`,
      {
        id,
        seconds,
      },
    );

  /** Waits until the last use of a session, which is written in the background, is stored. */
  async function useIsWritten({ id }: LogIn): Promise<void> {
    const isRecent = "SELECT last_used_at > clock_timestamp() - interval '60 s' AS it FROM sessions WHERE id = $id";
    const deadline = performance.now() + 10_000;
    for (;;) {
      const [row] = await messenger().sql<{ it: boolean }>(isRecent, { id });
      if (row?.it) return;
      if (performance.now() > deadline) throw new Error("the use of the session was not written");
    }
  }

  const unauthenticated = { status: 401, code: "UNAUTHENTICATED" };

  describe("that is refreshed", () => {
    test("returns a new refresh token and a valid access token of the same session", async () => {
      const { person, session } = await userWithSession();
      const before = await list(session.token);
      const next = await exchange(session.refreshToken);
      expect(next.refreshToken).not.toBe(session.refreshToken);
      expect(next).toMatchObject({ id: session.id, userId: person.id });
      expect(await statusOf(next.token)).toBe(200);
      const after: { id: number; current: boolean }[] = await list(next.token);
      expect(after.map(({ id }) => id).sort()).toEqual(before.map(({ id }: LogIn) => id).sort());
      expect(after.filter(({ current }) => current)).toMatchObject([{ id: session.id }]);
      expect(Date.parse(next.expiresAt)).toBeGreaterThan(Date.now());
    });

    test("returns the same refresh token again if the response was lost", async () => {
      const { session } = await userWithSession();
      const lost = await exchange(session.refreshToken);
      const again = await exchange(session.refreshToken);
      expect(again.refreshToken).toBe(lost.refreshToken);
      expect(await statusOf(again.token)).toBe(200);
      await exchange(again.refreshToken);
    });

    test("by ten tabs at once returns the same refresh token to all of them", async () => {
      const { session } = await userWithSession();
      const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(session.refreshToken)));
      const tokens = new Set(answers.map(({ refreshToken }) => refreshToken));
      expect(tokens.size).toBe(1);
      expect(await Promise.all(answers.map(({ token }) => statusOf(token)))).toEqual(Array(10).fill(200));
      const [successor = ""] = tokens;
      expect((await exchange(successor)).refreshToken).not.toBe(successor);
    });

    test("with an older refresh token ends, with its tokens and sockets", async () => {
      const { session } = await userWithSession();
      const device = await messenger().connect(session.token);
      const second = await exchange(session.refreshToken);
      const third = await exchange(second.refreshToken);
      expect(await statusOf(third.token)).toBe(200);
      expect(await refreshError(session.refreshToken)).toEqual(unauthenticated);
      expect(await device.closed).toMatchObject(endedAndClosed);
      for (const { token } of [session, second, third]) expect(await statusOf(token)).toBe(401);
      for (const { refreshToken } of [second, third]) expect(await refreshError(refreshToken)).toEqual(unauthenticated);
    });

    test("with the previous refresh token works for 30 seconds, and ends after that", async () => {
      const { person, session } = await userWithSession();
      const device = await messenger().connect(session.token);
      const next = await exchange(session.refreshToken);
      await backdate("refreshed_at", session, 25);
      expect((await exchange(session.refreshToken)).refreshToken).toBe(next.refreshToken);
      await backdate("refreshed_at", session, 31);
      expect(await refreshError(session.refreshToken)).toEqual(unauthenticated);
      expect(await device.closed).toMatchObject(endedAndClosed);
      expect(await statusOf(next.token)).toBe(401);
      expect(await refreshError(next.refreshToken)).toEqual(unauthenticated);
      expect(await statusOf(person.token)).toBe(200);
    });

    test("with the current refresh token works long after the last exchange", async () => {
      const { session } = await userWithSession();
      const next = await exchange(session.refreshToken);
      await backdate("refreshed_at", session, 7 * day);
      expect(await statusOf((await exchange(next.refreshToken)).token)).toBe(200);
    });

    test("is rejected after the account was deleted", async () => {
      const { person, session } = await userWithSession();
      await messenger().http("DELETE", "/users/me", { token: person.token, body: { password } });
      expect(await refreshError(session.refreshToken)).toEqual(unauthenticated);
    });
  });

  describe("whose refresh token is guessed", () => {
    /** The token with its parts changed. */
    const withParts = (token: string, change: (parts: string[]) => string[]) => change(token.split(".")).join(".");
    const otherLetter = (text = "") => (text.startsWith("A") ? "B" : "A") + text.slice(1);
    const otherKey = (text: string) => createHmac("sha256", "another key").update(text).digest("base64url");

    const guesses: [string, (own: LogIn, strangers: LogIn) => string, string?][] = [
      [
        "another signature",
        ({ refreshToken }) => withParts(refreshToken, ([id, r, s]) => [`${id}`, `${r}`, otherLetter(s)]),
      ],
      [
        "another random part",
        ({ refreshToken }) => withParts(refreshToken, ([id, r, s]) => [`${id}`, otherLetter(r), `${s}`]),
      ],
      [
        "the id of another user's session",
        ({ refreshToken }, { id }) => withParts(refreshToken, ([, r, s]) => [`${id}`, `${r}`, `${s}`]),
      ],
      [
        "a signature by another key",
        ({ id }) => {
          const body = `${id}.${"r".repeat(43)}`;
          return `${body}.${otherKey(body)}`;
        },
      ],
      [
        "a token of another installation",
        ({ id }) => new RefreshTokens({ secret: "the secret of another installation, long enough" }).first(id),
      ],
      ["a leading zero in the id", ({ refreshToken }) => `0${refreshToken}`],
      ["a trailing space", ({ refreshToken }) => `${refreshToken} `],
      ["half of it", ({ refreshToken }) => refreshToken.slice(0, 50)],
      ["the hash that is stored", ({ refreshToken }) => createHash("sha256").update(refreshToken).digest("hex")],
      ["words", () => "let me in"],
      ["SQL", ({ id }) => `${id}' OR true --`],
      ["an id beyond the range of numbers", () => `${"9".repeat(16)}.${"r".repeat(43)}.${"s".repeat(43)}`],
      ["the access token", ({ token }) => token],
      ["ten thousand letters", () => "x".repeat(10_000), "VALIDATION"],
      ["nothing", () => "", "VALIDATION"],
    ];

    test.each(guesses)("with %s is rejected and ends no session", async (_what, guess, code = "UNAUTHENTICATED") => {
      const { session } = await userWithSession();
      const { session: strangers } = await userWithSession();
      const device = await messenger().connect(session.token);
      const answer = await refreshError(guess(session, strangers));
      expect(answer).toEqual({ status: code === "VALIDATION" ? 400 : 401, code });
      await device.settle();
      for (const each of [session, strangers]) {
        expect(await statusOf(each.token)).toBe(200);
        await exchange(each.refreshToken);
      }
    });
  });

  describe("in the database", () => {
    test("is rejected and no longer listed if it was not refreshed within the lifetime of refresh tokens", async () => {
      const { person, session } = await userWithSession();
      await backdate("refreshed_at", session, 90 * day - 60);
      expect((await list(person.token)).map(({ id }: LogIn) => id)).toContain(session.id);
      await backdate("refreshed_at", session, 90 * day + 1);
      expect(await refreshError(session.refreshToken)).toEqual(unauthenticated);
      expect((await list(person.token)).map(({ id }: LogIn) => id)).not.toContain(session.id);
    });

    test("contains only hashes of the tokens", async () => {
      const { session } = await userWithSession();
      const next = await exchange(session.refreshToken);
      const [row] = await messenger().sql<{ everything: string; refresh: string; previous: string }>(
        `SELECT s::text AS everything, encode(refresh_hash, 'hex') AS refresh, encode(previous_hash, 'hex') AS previous
           FROM sessions AS s WHERE id = $id`,
        { id: session.id },
      );
      const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
      expect(row).toMatchObject({ refresh: sha256(next.refreshToken), previous: sha256(session.refreshToken) });
      for (const text of [session.token, session.refreshToken, next.token, next.refreshToken]) {
        for (const part of [text, ...text.split(".").slice(1)]) {
          for (const written of [
            part,
            Buffer.from(part).toString("hex"),
            Buffer.from(part, "base64url").toString("hex"),
          ]) {
            expect(row?.everything).not.toContain(written);
          }
        }
      }
    });

    test("does not accept the refresh token as an access token, over HTTP or on the upgrade", async () => {
      const { session } = await userWithSession();
      expect(await statusOf(session.refreshToken)).toBe(401);
      await expect(messenger().connect(session.refreshToken)).rejects.toThrow("401");
      expect(await statusOf(session.token)).toBe(200);
    });
  });

  describe("in the list of sessions", () => {
    test("has its device, its times and whether it is the current one, the most recently used first", async () => {
      const person = await messenger().person();
      const phone = await logIn(person, "Phone/1.0");
      const laptop = await logIn(person, `Laptop ${"x".repeat(300)}`);
      const registration = sessionIdOf(person.token);
      await backdate("last_used_at", laptop, 3 * day);
      await backdate("last_used_at", { ...laptop, id: registration }, 2 * day);
      await backdate("last_used_at", phone, day);

      const rows = await list(phone.token);
      expect(rows.map(({ id }: LogIn) => id)).toEqual([phone.id, registration, laptop.id]);
      expect(rows).toMatchObject([
        { userAgent: "Phone/1.0", current: true },
        { current: false },
        { userAgent: `Laptop ${"x".repeat(249)}`, current: false },
      ]);
      for (const row of rows) {
        expect(Object.keys(row).sort()).toEqual(["createdAt", "current", "id", "lastUsedAt", "userAgent"]);
        expect(Math.abs(Date.now() - Date.parse(row.createdAt))).toBeLessThan(60_000);
      }
      // The current session has just been used, the others have not.
      expect(Date.now() - Date.parse(rows[0].lastUsedAt)).toBeLessThan(60_000);
      expect(Date.now() - Date.parse(rows[1].lastUsedAt)).toBeGreaterThan(2 * day * 1000 - 60_000);
    });

    test("moves up when it is used over HTTP, by a socket or by a refresh", async () => {
      const { person, session } = await userWithSession();
      const uses: (() => Promise<unknown>)[] = [
        () => statusOf(session.token),
        () => messenger().connect(session.token),
        () => exchange(session.refreshToken),
      ];
      for (const use of uses) {
        await useIsWritten(session);
        await backdate("last_used_at", session, day);
        expect((await list(person.token)).map(({ id }: LogIn) => id).at(-1)).toBe(session.id);
        await use();
        const row = (await list(person.token)).find(({ id }: LogIn) => id === session.id);
        expect(Date.now() - Date.parse(row.lastUsedAt)).toBeLessThan(60_000);
      }
    });

    test("is not in another user's list", async () => {
      const [first, second] = [await userWithSession(), await userWithSession()];
      const ids = (await list(first.session.token)).map(({ id }: LogIn) => id);
      expect(ids).toHaveLength(2);
      expect(ids).not.toContain(second.session.id);
    });
  });

  describe("that is ended", () => {
    test("by logging out is invalid, its sockets are closed, and other sessions stay", async () => {
      const { person, session } = await userWithSession();
      const [mine, alsoMine, other] = await Promise.all([
        messenger().connect(session.token),
        messenger().connect(session.token),
        person.connect(),
      ]);
      const answer = await messenger().http("POST", "/auth/logout", { token: session.token });
      expect(answer).toMatchObject({ status: 204, body: "" });
      for (const device of [mine, alsoMine]) expect(await device.closed).toMatchObject(endedAndClosed);
      expect(await statusOf(session.token)).toBe(401);
      expect(await refreshError(session.refreshToken)).toEqual(unauthenticated);
      await expect(messenger().connect(session.token)).rejects.toThrow("401");
      await other.settle();
      expect(await statusOf(person.token)).toBe(200);
    });

    test("by its id from another device ends alone", async () => {
      const { person, session } = await userWithSession();
      const [device, other] = [await messenger().connect(session.token), await person.connect()];
      expect(await endById(session.id, person.token)).toMatchObject({ status: 204, body: "" });
      expect(await device.closed).toMatchObject(endedAndClosed);
      expect(await statusOf(session.token)).toBe(401);
      await other.settle();
      expect((await list(person.token)).map(({ id }: LogIn) => id)).not.toContain(session.id);
      expect(await endById(session.id, person.token)).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
    });

    test("by its own token and id ends", async () => {
      const { session } = await userWithSession();
      expect(await endById(session.id, session.token)).toMatchObject({ status: 204 });
      expect(await statusOf(session.token)).toBe(401);
    });

    test("of another user cannot be ended and returns NOT_FOUND, like an unknown one", async () => {
      const [victim, attacker] = [await userWithSession(), await userWithSession()];
      const device = await messenger().connect(victim.session.token);
      const strangers = await endById(victim.session.id, attacker.session.token);
      const unknown = await endById(987_654_321, attacker.session.token);
      expect(strangers).toMatchObject({ status: 404, body: { code: "NOT_FOUND" } });
      expect({ ...strangers.body, requestId: "" }).toEqual({ ...unknown.body, requestId: "" });
      for (const id of ["0", "-1", "1.5", "x", "9".repeat(30)]) {
        expect(await endById(id, attacker.session.token)).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      }
      await device.settle();
      expect(await statusOf(victim.session.token)).toBe(200);
    });

    test("together with all others leaves the current one", async () => {
      const { person, session } = await userWithSession();
      const third = await logIn(person);
      const stranger = await userWithSession();
      const [mine, others] = [
        await messenger().connect(session.token),
        [await person.connect(), await messenger().connect(third.token)],
      ];
      expect(await messenger().http("DELETE", "/auth/sessions", { token: session.token })).toMatchObject({
        status: 204,
      });
      for (const device of others) expect(await device.closed).toMatchObject(endedAndClosed);
      await mine.settle();
      expect(await list(session.token)).toMatchObject([{ id: session.id, current: true }]);
      for (const token of [person.token, third.token]) expect(await statusOf(token)).toBe(401);
      expect(await statusOf(stranger.session.token)).toBe(200);
    });

    test("by a change of password leaves the current one", async () => {
      const { person, session } = await userWithSession();
      const [mine, other] = [await messenger().connect(session.token), await person.connect()];
      const change = { oldPassword: password, newPassword: "an even longer sentence" };
      const answer = await messenger().http("PUT", "/users/me/password", { token: session.token, body: change });
      expect(answer.status).toBe(204);
      expect(await other.closed).toMatchObject(endedAndClosed);
      expect(await statusOf(person.token)).toBe(401);
      await mine.settle();
      await exchange(session.refreshToken);
    });

    test("in the database only, as by another process or an operator, has its sockets closed within 2 seconds", async () => {
      const { person, session } = await userWithSession();
      const [device, other] = [await messenger().connect(session.token), await person.connect()];
      await messenger().sql("UPDATE sessions SET revoked_at = clock_timestamp() WHERE id = $id", { id: session.id });
      const endedAt = Date.now();
      expect(await device.closed).toMatchObject(endedAndClosed);
      expect(Date.now() - endedAt).toBeLessThan(2000);
      await other.settle();
    });

    test("by an operator who resets the password is invalid, and only the new password logs in", async () => {
      const { person, session } = await userWithSession();
      const devices = [await messenger().connect(session.token), await person.connect()];
      const stranger = await userWithSession();
      const { administration, stop } = offlineAdministration({
        database: messenger().db,
        passwords: { cost: 4, concurrency: 1, maxQueued: 1 },
        makeLink: (page) => page,
        log: silentLog,
      });
      const given = await administration.users.setRandomPassword(fromCommandLine, person.id);
      stop();
      const endedAt = Date.now();
      for (const device of devices) expect(await device.closed).toMatchObject(endedAndClosed);
      expect(Date.now() - endedAt).toBeLessThan(2000);
      for (const token of [person.token, session.token]) expect(await statusOf(token)).toBe(401);
      expect(await refreshError(session.refreshToken)).toEqual(unauthenticated);
      const attempts = await Promise.all(
        [password, given].map((word) =>
          messenger().http("POST", "/auth/login", { body: { email: person.email, password: word } }),
        ),
      );
      expect(attempts.map(({ status }) => status)).toEqual([401, 200]);
      expect(await statusOf(stranger.session.token)).toBe(200);
    });

    test("while a socket is being opened leaves no socket open, in 30 rounds", async () => {
      const person = await messenger().person();
      for (let round = 0; round < 30; round++) {
        const { token } = await logIn(person);
        const open = () => messenger().connect(token);
        const logOut = () => messenger().http("POST", "/auth/logout", { token });
        // Alternates which request is sent first.
        const [first, second] = await Promise.allSettled(round % 2 ? [open(), logOut()] : [logOut(), open()]);
        const [opened, ended] = round % 2 ? [first, second] : [second, first];
        expect(ended).toMatchObject({ status: "fulfilled", value: { status: 204 } });
        if (opened?.status === "fulfilled" && opened.value instanceof Device) {
          expect(await opened.value.closed).toMatchObject(endedAndClosed);
        } else expect(opened).toMatchObject({ reason: { message: expect.stringContaining("401") } });
      }
    });
  });

  describe("of an open socket", () => {
    const renewal = (device: Device, token: string) => device.exchange({ type: "authenticate", params: { token } });

    /** An access token that the server did not issue. */
    const issue = (session: LogIn, lifetimeSeconds: number, key = secret) =>
      new Tokens({ secret: key, lifetimeSeconds }).issue({ userId: session.userId, sessionId: session.id }).token;

    test("is not renewed with an invalid, expired, ended or forged token or another user's, and stays the same", async () => {
      const { person, session } = await userWithSession();
      const ended = await logIn(person);
      await messenger().http("POST", "/auth/logout", { token: ended.token });
      const stranger = await userWithSession();
      const device = await messenger().connect(session.token);
      const tokens = {
        garbage: "let me in",
        long: "x".repeat(5000),
        empty: "",
        expired: issue(session, -1),
        forged: issue(session, 60, "the secret of another installation, long enough"),
        ended: ended.token,
        strangers: stranger.session.token,
        refreshToken: session.refreshToken,
      };
      for (const token of [...Object.values(tokens), 5, null]) {
        const error = await device.requestError("authenticate", { token });
        expect(error).toMatchObject({ code: "VALIDATION", message: expect.stringContaining('"token"') });
      }
      await device.settle();
      await messenger().http("POST", "/auth/logout", { token: stranger.session.token });
      await device.settle();
      await messenger().http("POST", "/auth/logout", { token: session.token });
      expect(await device.closed).toMatchObject(endedAndClosed);
    });

    test("can be replaced by another one of the same user: the end of the new one closes the socket, that of the old one does not", async () => {
      const { person, session } = await userWithSession();
      const next = await logIn(person);
      const [device, left] = [await messenger().connect(session.token), await messenger().connect(session.token)];
      const { params } = await device.request("authenticate", { token: next.token });
      expect(params).toMatchObject({ data: null, item: { expiresAt: next.expiresAt } });
      expect(await endById(session.id, person.token)).toMatchObject({ status: 204 });
      expect(await left.closed).toMatchObject(endedAndClosed);
      await device.settle();
      expect(await endById(next.id, person.token)).toMatchObject({ status: 204 });
      expect(await device.closed).toMatchObject(endedAndClosed);
    });

    test("that is renewed while the new session ends is closed or stays in the old session, in 20 rounds", async () => {
      const { person, session } = await userWithSession();
      for (let round = 0; round < 20; round++) {
        const next = await logIn(person);
        const device = await messenger().connect(session.token);
        const [answer] = await Promise.all([
          renewal(device, next.token).catch(() => "closed"),
          endById(next.id, person.token),
        ]);
        if (answer.code === "VALIDATION") await device.settle();
        else expect(await device.closed).toMatchObject(endedAndClosed);
      }
    });
  });
});

describe("an access token with a lifetime of four seconds", () => {
  const messenger = useMessenger({ TOKEN_LIFETIME_SECONDS: "4" });

  test("closes its socket when it expires, unless the socket was renewed", async () => {
    const person = await messenger().person();
    const session = await logInTo(messenger(), person);
    const [renewed, notRenewed] = [await messenger().connect(session.token), await messenger().connect(session.token)];
    // Times in tokens are whole seconds: refreshes until the new token expires later than the old one.
    let fresh = await refresh(messenger(), session.refreshToken);
    while (fresh.expiresAt === session.expiresAt) fresh = await refresh(messenger(), fresh.refreshToken);
    expect((await renewed.request("authenticate", { token: fresh.token })).params.item.expiresAt).toBe(fresh.expiresAt);

    expect(await notRenewed.closed).toMatchObject({ ...endedAndClosed, reason: "token expired" });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(session.expiresAt));
    await renewed.settle();
    expect((await messenger().http("GET", "/users/me", { token: session.token })).status).toBe(401);
    await expect(messenger().connect(session.token)).rejects.toThrow("401");

    expect(await renewed.closed).toMatchObject({ ...endedAndClosed, reason: "token expired" });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(fresh.expiresAt));
    expect(await refresh(messenger(), fresh.refreshToken)).toMatchObject({ id: session.id });
  });
});

describe("the command that resets a password", () => {
  const email = "ann@example.test";
  let database: TestDatabase;
  let registered: { token: string };
  let whileRunning: Awaited<ReturnType<typeof command>>;

  beforeAll(async () => {
    database = await makeDatabase();
    await running(async (own) => {
      registered = (await own.http("POST", "/auth/register", { body: { email, password, firstName: "Ann" } })).body;
      if (!onServer) whileRunning = await command(email);
    });
  });
  afterAll(() => database.remove());

  /** Runs a messenger on the data of this test while `use` runs. */
  async function running<T>(use: (own: TestMessenger) => Promise<T>): Promise<T> {
    const own = await TestMessenger.start(database.settings);
    try {
      return await use(own);
    } finally {
      await own.stop();
    }
  }

  const command = (...words: string[]) =>
    new Promise<{ code: number; output: string; errors: string }>((resolve) => {
      const root = join(__dirname, "..");
      const child = execFile(
        process.execPath,
        [join(root, "scripts/start.mjs"), "cli/reset-password", ...words],
        { cwd: root, env: { PATH: process.env.PATH ?? "", BCRYPT_COST: "4", ...database.settings } },
        (_error, output, errors) => resolve({ code: child.exitCode ?? -1, output, errors }),
      );
    });

  test("prints a password that logs in; the old password and the old token no longer work", async () => {
    const { code, output, errors } = await command("Ann@Example.TEST");
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    const [, given] =
      /^The new password of Ann@Example\.TEST is (\S+)\nAll sessions of this account have ended\.\n$/.exec(output) ??
      [];
    await running(async (own) => {
      const logIn = async (word = "") =>
        (await own.http("POST", "/auth/login", { body: { email, password: word } })).status;
      expect([await logIn(password), await logIn(given)]).toEqual([401, 200]);
      expect((await own.http("GET", "/users/me", { token: registered.token })).status).toBe(401);
    });
  });

  test("fails with one line for an unknown e-mail address, and without one", async () => {
    expect(await command("nobody@example.test")).toEqual({ code: 1, output: "", errors: "There is no such user\n" });
    expect(await command()).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringMatching(/^Pass an e-mail address: .+\n$/),
    });
  });

  (onServer ? test.skip : test)("fails with the id of the server that uses the data folder", () => {
    const { code, output, errors } = whileRunning;
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(/^[^\n]+\n$/);
    expect(errors).toContain(
      `The data folder ${database.settings.DATA_DIR} is in use by another messenger (process ${process.pid})`,
    );
  });
});

const sessionIdOf = (token: string): number =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).sid;

async function logInTo(messenger: TestMessenger, { email }: TestUser, userAgent?: string): Promise<LogIn> {
  const { status, body } = await messenger.http("POST", "/auth/login", {
    body: { email, password },
    headers: userAgent === undefined ? {} : { "user-agent": userAgent },
  });
  expect(status).toBe(200);
  return toLogIn(body);
}

async function refresh(messenger: TestMessenger, refreshToken: string): Promise<LogIn> {
  const { status, body } = await messenger.http("POST", "/auth/refresh", { body: { refreshToken } });
  expect({ status, body }).toMatchObject({ status: 200 });
  return toLogIn(body);
}

const toLogIn = (body: Omit<LogIn, "id" | "userId"> & { user: { id: number } }): LogIn => ({
  id: sessionIdOf(body.token),
  userId: body.user.id,
  token: body.token,
  refreshToken: body.refreshToken,
  expiresAt: body.expiresAt,
});
