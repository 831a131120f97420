import { describe, expect, test } from "@jest/globals";
import { recentlyEndedSessions } from "../src/db/queries/accounts/ended-sessions.ts";
import { purgeOldSessions } from "../src/jobs/purge-sessions.ts";
import { password, useMessenger } from "./support/messenger.ts";
import { deleteAccount, participant } from "./support/scenes.ts";
import { silentLog } from "./support/silent.ts";

/* What is kept of sessions, how long, and how many there are. */

const maxSessions = 3;
const messenger = useMessenger({ MAX_SESSIONS_PER_USER: String(maxSessions) });

interface Row {
  userAgent: string | null;
  address: string | null;
  hashBytes: number;
  hasPreviousHash: boolean;
  isActive: boolean;
}

const rowsOf = (userId: number) =>
  messenger().sql<Row>(
    `SELECT user_agent AS "userAgent", address, length(refresh_hash) AS "hashBytes",
            previous_hash IS NOT NULL AS "hasPreviousHash", revoked_at IS NULL AS "isActive"
       FROM sessions WHERE user_id = $userId ORDER BY id`,
    { userId },
  );

const erased = { userAgent: null, address: null, hashBytes: 0, hasPreviousHash: false, isActive: false };

async function logIn(email: string) {
  const { status, body } = await messenger().http("POST", "/auth/login", { body: { email, password } });
  expect(status).toBe(200);
  return { token: String(body.token), refreshToken: String(body.refreshToken) };
}

const statusOf = async (token: string) => (await messenger().http("GET", "/users/me", { token })).status;

describe("of an ended session nothing about its device and its tokens is kept", () => {
  test.each<[string, (user: { token: string }) => Promise<unknown>]>([
    ["that was logged out", ({ token }) => messenger().http("POST", "/auth/logout", { token })],
    ["whose account was deleted", (user) => deleteAccount(messenger(), user)],
  ])("%s", async (_which, end) => {
    const { id, email } = await messenger().person();
    const { refreshToken } = await logIn(email);
    const refreshed = await messenger().http("POST", "/auth/refresh", { body: { refreshToken } });
    const before = await rowsOf(id);
    expect(before.at(-1)).toEqual({
      userAgent: expect.any(String),
      address: expect.any(String),
      hashBytes: 32,
      hasPreviousHash: true,
      isActive: true,
    });
    await end({ token: refreshed.body.token });
    expect((await rowsOf(id)).at(-1)).toEqual(erased);
    expect((await messenger().http("POST", "/auth/refresh", { body: { refreshToken } })).status).toBe(401);
  });
});

describe("a user with as many sessions as allowed who logs in again", () => {
  test("ends the session unused for longest, with its sockets, and keeps the others", async () => {
    const user = await participant(messenger());
    const others = [await logIn(user.email), await logIn(user.email)];
    await messenger().sql(
      "UPDATE sessions SET last_used_at = clock_timestamp() - interval '1 h' WHERE user_id = $id AND id = (SELECT max(id) FROM sessions)",
      { id: user.id },
    );
    const another = await logIn(user.email);
    expect(await Promise.all([user, ...others, another].map(({ token }) => statusOf(token)))).toEqual([
      200, 200, 401, 200,
    ]);
    await messenger().sql(
      "UPDATE sessions SET last_used_at = clock_timestamp() - interval '1 h' WHERE id = (SELECT min(id) FROM sessions WHERE user_id = $id)",
      { id: user.id },
    );
    await logIn(user.email);
    expect((await user.device.closed).code).toBe(4401);
    expect((await rowsOf(user.id)).filter(({ isActive }) => isActive)).toHaveLength(maxSessions);
  });

  test("ends none of another user", async () => {
    const [one, other] = [await messenger().person(), await messenger().person()];
    for (let count = 0; count < 5; count++) await logIn(one.email);
    expect(await statusOf(other.token)).toBe(200);
  });
});

describe("the purge of sessions", () => {
  const lifetimeMs = 90 * 86_400_000;

  /** Runs the job until what it has to delete is gone. */
  async function purge(isDone: () => Promise<boolean>): Promise<void> {
    const stop = purgeOldSessions({ database: messenger().db, lifetimeMs, log: silentLog });
    try {
      while (!(await isDone()));
    } finally {
      stop();
    }
  }

  test("deletes sessions that ended or expired more than a day ago, and no others", async () => {
    const { id, email } = await messenger().person();
    await messenger().http("DELETE", "/auth/sessions", { token: (await logIn(email)).token });
    await messenger().sql("DELETE FROM sessions WHERE user_id = $id", { id });
    await messenger().sql(
      `INSERT INTO sessions (user_id, refresh_hash, user_agent, revoked_at, refreshed_at)
       SELECT $id, '', name, clock_timestamp() - revoked, clock_timestamp() - refreshed
         FROM (VALUES ('ended today', interval '23 h', interval '1 d'),
                      ('ended before', interval '25 h', interval '2 d'),
                      ('expired today', NULL, interval '90 d 23 h'),
                      ('expired before', NULL, interval '91 d 1 h'),
                      ('active', NULL, interval '89 d')) AS made (name, revoked, refreshed)`,
      { id },
    );
    await messenger().sql(
      `INSERT INTO sessions (user_id, refresh_hash, user_agent, revoked_at)
       SELECT $id, '', 'one of many', clock_timestamp() - interval '2 d' FROM generate_series(1, 2500)`,
      { id },
    );
    const names = async () => (await rowsOf(id)).map(({ userAgent }) => userAgent);
    const kept = ["ended today", "expired today", "active"];
    await purge(async () => (await names()).length <= kept.length);
    expect(await names()).toEqual(kept);
  });

  test("leaves what other processes look for", async () => {
    const { id, token } = await messenger().person();
    await messenger().http("POST", "/auth/logout", { token });
    await messenger().sql(
      "INSERT INTO sessions (user_id, refresh_hash, revoked_at) VALUES ($id, '', now() - interval '2 d')",
      {
        id,
      },
    );
    await purge(async () => (await rowsOf(id)).length === 1);
    const { ended } = await recentlyEndedSessions(messenger().db, { since: undefined, marginMs: 60_000 });
    expect(ended.length).toBeGreaterThan(0);
  });
});
