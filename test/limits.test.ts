import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import bcrypt from "bcrypt";
import { Redis } from "../src/bus/redis.ts";
import { readSettings } from "../src/config/read-settings.ts";
import type { Rate } from "../src/domain/rate-limit.ts";
import { LocalLimiter } from "../src/services/limits/local-limiter.ts";
import { networkOf, RateLimits } from "../src/services/limits/rate-limits.ts";
import { Device } from "./support/device.ts";
import { password, type TestMessenger, useMessenger } from "./support/messenger.ts";
import { describeWithRedis } from "./support/prerequisites.ts";
import { opcodes, RawSocket, wireFrame } from "./support/raw-socket.ts";
import { recordLog } from "./support/recorded-log.ts";
import { TestRedis } from "./support/redis.ts";

/*
 * Rate limits: the time to wait, the disconnection of persistent clients, and that others are unaffected. One file despite
 * its length, because its tests share servers with the same low limits.
 */

/** All rates, at values that tests do not reach unless they are given. */
const rates = (given: Partial<Record<string, Rate>> = {}) => {
  const plenty: Rate = { burst: 1000, amount: 1000, seconds: 1 };
  const names = [
    "logInsPerAccount",
    "logInsPerAccountEverywhere",
    "logInsPerAddress",
    "successfulLogInsPerAccount",
    "successfulLogInsPerAddress",
    "passwordChecksPerUser",
    "reconnectsPerAddress",
    "documentsPerAddress",
    "avatarsPerAddress",
    "mailsPerAddress",
    "mailsPerUser",
    "messagesPerUser",
    "uploadsPerUser",
    "downloadsPerUser",
    "requestsPerUser",
    "searchesPerUser",
  ] as const;
  return Object.fromEntries(names.map((name) => [name, given[name] ?? plenty])) as Record<(typeof names)[number], Rate>;
};

/** Consumes so many times. Returns how many passed, and the waiting time of the last rejection. */
async function consume(limits: RateLimits, times: number, key: string | number = 1) {
  let passed = 0;
  let retryAfterMs = 0;
  for (let count = 0; count < times; count++) {
    await limits.consume("messagesPerUser", key).then(
      () => passed++,
      (error) => {
        expect(error).toMatchObject({ kind: "rateLimited", retryAfterMs: expect.any(Number) });
        retryAfterMs = error.retryAfterMs;
      },
    );
  }
  return { passed, retryAfterMs };
}

describe("a rate of 60+10/s", () => {
  const messagesPerUser = { burst: 60, amount: 10, seconds: 1 };
  afterEach(() => {
    jest.useRealTimers();
  });

  test("allows 60 at once, then 10 a second, for each user", async () => {
    jest.useFakeTimers();
    const limits = new RateLimits({ rates: rates({ messagesPerUser }) });
    expect(await consume(limits, 200)).toEqual({ passed: 60, retryAfterMs: 100 });
    expect((await consume(limits, 200, 2)).passed).toBe(60);
    for (let second = 0; second < 10; second++) {
      jest.advanceTimersByTime(1000);
      expect((await consume(limits, 30)).passed).toBe(10);
    }
  });

  test("allows at most a tenth more than 10 a second in the long run", async () => {
    jest.useFakeTimers();
    const limits = new RateLimits({ rates: rates({ messagesPerUser }) });
    let passed = 0;
    for (let step = 0; step < 6000; step++) {
      passed += (await consume(limits, 3)).passed;
      jest.advanceTimersByTime(100);
    }
    expect(passed).toBeGreaterThanOrEqual(600 * 10);
    expect(passed).toBeLessThanOrEqual(600 * 11 + 60);
  });

  test("rejects with the exact time to wait", async () => {
    jest.useFakeTimers();
    const limits = new RateLimits({ rates: rates({ messagesPerUser: { burst: 5, amount: 1, seconds: 12 } }) });
    await consume(limits, 5);
    jest.advanceTimersByTime(3000);
    const { passed, retryAfterMs } = await consume(limits, 1);
    expect({ passed, retryAfterMs }).toEqual({ passed: 0, retryAfterMs: 9000 });
    jest.advanceTimersByTime(retryAfterMs - 1);
    expect((await consume(limits, 1)).passed).toBe(0);
    jest.advanceTimersByTime(1);
    expect((await consume(limits, 2)).passed).toBe(1);
  });

  test("supports a burst that refills more slowly than the longest timer", async () => {
    jest.useFakeTimers();
    const limits = new RateLimits({ rates: rates({ messagesPerUser: { burst: 100, amount: 1, seconds: 3600 } }) });
    await consume(limits, 100);
    jest.advanceTimersByTime(1000);
    expect((await consume(limits, 100)).passed).toBe(0);
  });

  test("the cost of an action that was allowed delays the next ones", async () => {
    const limits = new RateLimits({ rates: rates({ messagesPerUser }) });
    await limits.consume("messagesPerUser", 1);
    await limits.charge("messagesPerUser", 1, 69);
    await expect(limits.consume("messagesPerUser", 1)).rejects.toMatchObject({ kind: "rateLimited" });
    await limits.consume("messagesPerUser", 2);
  });

  test("starts again after a reset", async () => {
    const limits = new RateLimits({ rates: rates({ messagesPerUser }) });
    await consume(limits, 100);
    await limits.reset("messagesPerUser", 1);
    expect((await consume(limits, 100)).passed).toBe(60);
  });

  test("does not depend on the wall clock", async () => {
    const limits = new RateLimits({ rates: rates({ messagesPerUser }) });
    const wallClock = jest.spyOn(Date, "now");
    try {
      await consume(limits, 60);
      wallClock.mockReturnValue(0);
      expect((await consume(limits, 1)).retryAfterMs).toBeLessThanOrEqual(100);
    } finally {
      wallClock.mockRestore();
    }
  });

  test("forgets keys whose count is back to zero", async () => {
    jest.useFakeTimers();
    const limiter = new LocalLimiter(messagesPerUser);
    for (let key = 0; key < 1000; key++) limiter.consume(key);
    jest.advanceTimersByTime(60_000);
    for (let key = 1000; key < 1600; key++) limiter.consume(key);
    expect(limiter.size).toBe(600);
  });

  test("is not applied if limits are disabled", async () => {
    expect((await consume(new RateLimits({ rates: undefined }), 500)).passed).toBe(500);
  });
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:DB8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("the address %s counts as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

describeWithRedis("with Redis", () => {
  const messagesPerUser = { burst: 5, amount: 1, seconds: 100 };
  const cleanUps: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function startRedis(): Promise<TestRedis> {
    const server = await TestRedis.start();
    cleanUps.push(() => server.kill());
    return server;
  }

  /** The limits of one process, and what it logs. */
  async function connected(server: TestRedis) {
    const { log, lines } = recordLog();
    const { signal } = new AbortController();
    const redis = await Redis.connect({ url: server.url, prefix: "test", log, signal });
    cleanUps.push(() => redis.close());
    return { redis, lines, limits: new RateLimits({ rates: rates({ messagesPerUser }), redis }) };
  }

  test("two processes share counts and resets", async () => {
    const server = await startRedis();
    const [one, other] = [await connected(server), await connected(server)];
    expect((await consume(one.limits, 3)).passed).toBe(3);
    const { passed, retryAfterMs } = await consume(other.limits, 10);
    expect(passed).toBe(2);
    expect(retryAfterMs).toBeGreaterThan(90_000);
    expect(await one.limits.peek("messagesPerUser", 1)).toBeGreaterThan(90_000);
    expect((await consume(one.limits, 1)).passed).toBe(0);
    await one.limits.reset("messagesPerUser", 1);
    expect(await one.limits.peek("messagesPerUser", 1)).toBe(0);
    expect((await consume(other.limits, 10)).passed).toBe(5);
  });

  test("each process counts on its own while Redis is unavailable, and together again afterwards", async () => {
    const server = await startRedis();
    const { redis, limits, lines } = await connected(server);
    await server.kill();
    expect((await consume(limits, 10)).passed).toBe(5);
    await limits.reset("messagesPerUser", 1);
    expect((await consume(limits, 10)).passed).toBe(5);
    expect(redis.status()).toMatch(/closed|ECONN/i);

    await server.start();
    await lines.waitFor("Redis is available again");
    expect(redis.status()).toBe("ok");
    expect((await consume(limits, 3)).passed).toBe(3);
    expect((await consume((await connected(server)).limits, 10)).passed).toBe(2);
    expect(lines.messages).toEqual([
      "Redis is unavailable; continuing without it and reconnecting",
      "Redis is available again",
    ]);
  });

  test("an unresponsive Redis delays all requests together once, for 250 ms", async () => {
    const server = await startRedis();
    const { redis, limits, lines } = await connected(server);
    server.pause();
    const startedAt = performance.now();
    // In series, as on a socket.
    for (let user = 0; user < 200; user++) await limits.consume("messagesPerUser", user);
    await limits.reset("messagesPerUser", 1);
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(redis.status()).toBe("no reply within 250 ms");
    server.resume();
    await lines.waitFor("Redis is available again");
    expect(lines.messages).toHaveLength(2);
  });

  test("a Redis that only blocks writes counts as unresponsive until it answers them again", async () => {
    const server = await startRedis();
    const { redis, limits, lines } = await connected(server);
    const { client } = (await connected(server)).redis;
    await client.sendCommand(["CLIENT", "PAUSE", "2500", "WRITE"]);
    expect((await consume(limits, 10)).passed).toBe(5);
    await lines.waitFor("Redis is available again");
    expect(redis.status()).toBe("ok");
    expect(lines.messages).toHaveLength(2);
  });

  test.each([
    ["has no memory left", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], /^OOM/],
    ["is a read-only replica", ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"], /^READONLY/],
  ])("each process counts on its own while Redis %s", async (_what, breakIt, repair, reason) => {
    const server = await startRedis();
    const { redis, limits, lines } = await connected(server);
    await redis.client.sendCommand(breakIt);
    expect((await consume(limits, 10)).passed).toBe(5);
    expect(redis.status()).toMatch(reason);
    expect(redis.isResponding).toBe(true);
    await redis.client.sendCommand(repair);
    await lines.waitFor("Redis accepts writes again");
    expect((await consume(limits, 10)).passed).toBe(5);
    expect(lines.messages).toEqual([
      "Redis rejects writes; each process counts rate limits on its own",
      "Redis accepts writes again",
    ]);
  });
});

type Body = Record<string, unknown>;
const post = (messenger: TestMessenger, path: string, body: Body, headers: Record<string, string> = {}) =>
  messenger.http("POST", path, { body, headers });

/** Expects a rate-limit error: the header in whole seconds, the body in milliseconds. */
function expectLimited(answer: Awaited<ReturnType<TestMessenger["http"]>>, maxSeconds: number): void {
  expect(answer.status).toBe(429);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json\b/);
  const { retryAfterMs, ...problem } = answer.body;
  expect(problem).toMatchObject({ code: "RATE_LIMITED", status: 429, detail: expect.stringMatching(/again in \d+ s/) });
  expect(Number(answer.headers.get("retry-after"))).toBe(Math.ceil(retryAfterMs / 1000));
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(maxSeconds * 1000);
}

describe("log-ins", () => {
  const messenger = useMessenger({ RATE_LIMITS: "on", LIMIT_LOGINS_PER_ADDRESS: "1000+1000/s" });
  const logIn = (email: string, given = password) => post(messenger(), "/auth/login", { email, password: given });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const spellings = [
    ...[
      "/auth/login",
      "/AUTH/login",
      "/auth/Login",
      "/auth/login/",
      "/auth/login?x=1",
      "/auth/login#x",
      "//auth/login",
    ],
    ...["/auth/log%69n", "/%61uth/login", "/auth%2flogin", "/auth/./login", "/x/../auth/login", "/auth\\login"],
    ...["http://x/auth/login", "HTTP://x/auth/login?x", "/auth/login/?x", "/auth\\login#x", "/auth/register"],
  ];

  test("with an existing or unknown address are limited from the sixth wrong password on", async () => {
    const { email } = await messenger().person();
    for (const address of [email, "nobody@example.test"]) {
      for (let count = 0; count < 5; count++) expect((await logIn(address, "a wrong password")).status).toBe(401);
      expectLimited(await logIn(address, "a wrong password"), 12);
      expectLimited(await logIn(address.toUpperCase(), "a wrong password"), 12);
    }
  });

  test("with the right password are rejected as well while the account is limited", async () => {
    const { email } = await messenger().person();
    for (let count = 0; count < 5; count++) await logIn(email, "a wrong password");
    expectLimited(await logIn(email), 12);
  });

  test("guessed concurrently are limited like sequential ones, and rejected ones are not compared", async () => {
    const { email } = await messenger().person();
    const compare = jest.spyOn(bcrypt, "compare");
    const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => logIn(email, `wrong password ${n}`)));
    expect(answers.filter(({ status }) => status === 401).length).toBe(5);
    expect(answers.filter(({ status }) => status === 429).length).toBe(25);
    expect(compare).toHaveBeenCalledTimes(5);
  });

  test("beyond the queue are rejected before their body is read, and do not count as attempts", async () => {
    const { email } = await messenger().person();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    jest.spyOn(bcrypt, "compare").mockImplementation(() => released.then(() => false));
    const { concurrency, maxQueued } = readSettings({}).passwords;
    const capacity = concurrency + maxQueued;
    const held = Array.from({ length: capacity + 1 }, (_, n) => logIn(`${n}@example.test`));
    expect((await Promise.race(held)).status).toBe(503);

    const guess = () => logIn(email, "a wrong password");
    const guesses = await Promise.all(Array.from({ length: 14 }, guess));
    for (const { status, body } of guesses) {
      expect({ status, ...body }).toMatchObject({ status: 503, code: "UNAVAILABLE", retryAfterMs: 2000 });
    }
    for (const path of spellings) {
      const unread = connect(messenger().port, "127.0.0.1");
      unread.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`);
      const answer = String(await once(unread, "data", { signal: AbortSignal.timeout(5000) }));
      expect({ path, answer }).toMatchObject({ answer: expect.stringMatching(/^HTTP\/1\.1 (503|404) /) });
      unread.destroy();
    }
    expect((await messenger().http("GET", "/health/ready")).status).toBe(200);

    release();
    const answered = (await Promise.all(held)).map(({ status }) => status);
    expect(answered.filter((status) => status === 401).length).toBe(capacity);
    jest.restoreAllMocks();
    for (let count = 0; count < 5; count++) expect((await logIn(email, "a wrong password")).status).toBe(401);
  });

  test("that succeed reset the count of failures", async () => {
    const { email } = await messenger().person();
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 4; count++) expect((await logIn(email, "a wrong password")).status).toBe(401);
      expect((await logIn(email)).status).toBe(200);
    }
  });

  test("and password checks of a user who is logged in have limits of their own", async () => {
    const { email, token } = await messenger().person();
    for (let count = 0; count < 6; count++) await logIn(email, "a wrong password");
    expectLimited(await logIn(email), 12);
    const wrong = { token, body: { oldPassword: "a wrong password", newPassword: "another long sentence" } };
    for (let count = 0; count < 7; count++) {
      expect((await messenger().http("PUT", "/users/me/password", wrong)).status).toBe(403);
    }
    const email2 = { token, body: { email: `new.${email}`, password } };
    expect((await messenger().http("PATCH", "/users/me", email2)).status).toBe(200);
    const right = { token, body: { oldPassword: password, newPassword: "another long sentence" } };
    expect((await messenger().http("PUT", "/users/me/password", right)).status).toBe(204);
    const deletion = { token, body: { password: "another long sentence" } };
    expect((await messenger().http("DELETE", "/users/me", deletion)).status).toBe(204);
  });

  test("are not blocked by a user who repeats the own password in password checks", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const compare = jest.spyOn(bcrypt, "compare");
    const change = () =>
      messenger().http("PUT", "/users/me/password", {
        token: ann.token,
        body: { oldPassword: password, newPassword: password },
      });
    for (let count = 0; count < 10; count++) expect((await change()).status).toBe(204);
    for (const [method, path, body] of [
      ["PUT", "/users/me/password", { oldPassword: password, newPassword: password }],
      ["PATCH", "/users/me", { email: "new@example.test", password }],
      ["DELETE", "/users/me", { password }],
    ] as const) {
      expectLimited(await messenger().http(method, path, { token: ann.token, body }), 60);
    }
    expect(compare).toHaveBeenCalledTimes(10);
    expect((await logIn(ann.email)).status).toBe(200);
    const rename = { token: ann.token, body: { firstName: "Ann" } };
    expect((await messenger().http("PATCH", "/users/me", rename)).status).toBe(200);
    expect((await messenger().http("DELETE", "/users/me", { token: bob.token, body: { password } })).status).toBe(204);
  });

  test("of one account do not affect those of another", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    for (let count = 0; count < 7; count++) await logIn(ann.email, "a wrong password");
    expect((await logIn(bob.email)).status).toBe(200);
  });
});

describe("strangers who guess a password", () => {
  const messenger = useMessenger({
    RATE_LIMITS: "on",
    TRUSTED_PROXY_HOPS: "1",
    LIMIT_LOGINS_PER_ADDRESS: "20+1/100s",
    LIMIT_LOGINS_PER_ACCOUNT_EVERYWHERE: "30+1/100s",
  });
  let addresses = 0;
  let owners = 0;
  const freshAddress = () => `198.51.100.${++addresses}`;
  const from = (address: string) => ({ "x-forwarded-for": address });
  const logIn = (email: string, address: string, given = password) =>
    post(messenger(), "/auth/login", { email, password: given }, from(address));

  async function register(address: string) {
    const email = `owner.${++owners}@example.test`;
    const { status, body } = await post(
      messenger(),
      "/auth/register",
      { email, password, firstName: "Ann" },
      from(address),
    );
    expect(status).toBe(201);
    return { email, token: body.token, refreshToken: body.refreshToken };
  }

  /** Guesses until the limit of the account is reached, from as many addresses as that takes. */
  async function guessFromManyAddresses(email: string): Promise<void> {
    for (let n = 0; n < 6; n++) {
      const address = freshAddress();
      for (let count = 0; count < 5; count++) expect((await logIn(email, address, "a guess")).status).toBe(401);
    }
  }

  test("from one address do not limit the log-ins from another", async () => {
    const owner = await register(freshAddress());
    const stranger = freshAddress();
    for (let count = 0; count < 5; count++) await logIn(owner.email, stranger, "a guess");
    expectLimited(await logIn(owner.email, stranger), 12);
    expect((await logIn(owner.email, freshAddress())).status).toBe(200);
  });

  test("from many addresses are limited, the user at an address where she is logged in is not", async () => {
    const home = freshAddress();
    const owner = await register(home);
    await guessFromManyAddresses(owner.email);
    expectLimited(await logIn(owner.email, freshAddress(), "a guess"), 100);
    expectLimited(await logIn(owner.email, freshAddress()), 100);
    expect((await logIn(owner.email, home)).status).toBe(200);
    for (let count = 0; count < 5; count++) expect((await logIn(owner.email, home, "a typo")).status).toBe(401);
    expectLimited(await logIn(owner.email, home), 12);
  });

  test("do not limit a user at the address of the latest refresh", async () => {
    const owner = await register(freshAddress());
    const train = freshAddress();
    const { status } = await post(messenger(), "/auth/refresh", { refreshToken: owner.refreshToken }, from(train));
    expect(status).toBe(200);
    await guessFromManyAddresses(owner.email);
    expect((await logIn(owner.email, train)).status).toBe(200);
  });

  test("limit the user again where she has logged out; her address is not kept", async () => {
    const home = freshAddress();
    const owner = await register(home);
    await messenger().http("POST", "/auth/logout", { token: owner.token });
    const rows = await messenger().sql("SELECT id FROM sessions WHERE revoked_at IS NOT NULL AND address IS NOT NULL");
    expect(rows).toEqual([]);
    await guessFromManyAddresses(owner.email);
    expectLimited(await logIn(owner.email, home), 100);
  });

  test("of others at an address do not limit the users who are logged in there", async () => {
    const office = freshAddress();
    const owner = await register(office);
    for (let n = 0; n < 19; n++) await logIn(`guess.${n}@example.test`, office, "a guess");
    expectLimited(await logIn("guess.20@example.test", office, "a guess"), 100);
    expect((await logIn(owner.email, office)).status).toBe(200);
  });

  test("200 people behind one address can log in at once", async () => {
    const office = freshAddress();
    const people: string[] = [];
    for (let n = 0; n < 40; n++) people.push((await register(freshAddress())).email);
    const statuses: number[] = [];
    for (let n = 0; n < 200; n += 10) {
      const answers = await Promise.all(people.slice(n % 40, (n % 40) + 10).map((email) => logIn(email, office)));
      statuses.push(...answers.map(({ status }) => status));
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

describe("log-ins with correct passwords", () => {
  const messenger = useMessenger({
    RATE_LIMITS: "on",
    TRUSTED_PROXY_HOPS: "1",
    BCRYPT_PARALLEL: "1",
    BCRYPT_QUEUE: "8",
    LIMIT_SUCCESSFUL_LOGINS_PER_ACCOUNT: "30+1/100s",
    LIMIT_SUCCESSFUL_LOGINS_PER_ADDRESS: "100+1/100s",
  });
  let addresses = 0;
  let accounts = 0;
  const freshAddress = () => `198.51.100.${++addresses}`;
  const from = (address: string) => ({ "x-forwarded-for": address });
  const logIn = (email: string, address: string) =>
    post(messenger(), "/auth/login", { email, password }, from(address));

  async function register() {
    const email = `owner.${++accounts}@example.test`;
    const account = { email, password, firstName: "Ann" };
    const { status, body } = await post(messenger(), "/auth/register", account, from(freshAddress()));
    expect(status).toBe(201);
    return { email, token: String(body.token) };
  }

  test("from one address, with many accounts, do not keep those of other addresses out", async () => {
    const victim = await register();
    const [flooding, ...attackers] = [freshAddress(), ...(await Promise.all([1, 2, 3, 4, 5].map(register)))];
    const compare = bcrypt.compare.bind(bcrypt);
    jest.spyOn(bcrypt, "compare").mockImplementation(async (given, hash) => {
      await new Promise((resolve) => setTimeout(resolve, 15));
      return compare(given, hash);
    });
    let isFlooding = true;
    const statuses: number[] = [];
    const flood = async (email: string) => {
      while (isFlooding) statuses.push((await logIn(email, flooding)).status);
    };
    const floods = attackers.flatMap(({ email }) => [1, 2, 3, 4].map(() => flood(email)));
    while (!statuses.includes(503)) await new Promise(setImmediate);
    const answers: number[] = [];
    for (let count = 0; count < 10; count++) answers.push((await logIn(victim.email, freshAddress())).status);
    const account = { email: "newcomer@example.test", password, firstName: "New" };
    answers.push((await post(messenger(), "/auth/register", account, from(freshAddress()))).status);
    isFlooding = false;
    await Promise.all(floods);
    jest.restoreAllMocks();
    expect(answers).toEqual([...Array<number>(10).fill(200), 201]);
  });

  test("are limited for each account, wherever they come from", async () => {
    const [one, other] = [await register(), await register()];
    for (let count = 0; count < 30; count++) expect((await logIn(one.email, freshAddress())).status).toBe(200);
    expectLimited(await logIn(one.email, freshAddress()), 100);
    expect((await logIn(other.email, freshAddress())).status).toBe(200);
  });

  test("are limited for each address, also where the user is logged in", async () => {
    const address = freshAddress();
    for (let round = 0; round < 4; round++) {
      const { email } = await register();
      for (let count = 0; count < 25; count++) expect((await logIn(email, address)).status).toBe(200);
    }
    const { email } = await register();
    expectLimited(await logIn(email, address), 100);
    expect((await logIn(email, freshAddress())).status).toBe(200);
  });
});

describe("an address", () => {
  const messenger = useMessenger({
    RATE_LIMITS: "on",
    TRUSTED_PROXY_HOPS: "1",
    LIMIT_LOGINS_PER_ADDRESS: "20+1/100s",
    LIMIT_RECONNECTS_PER_ADDRESS: "10+1/100s",
    LIMIT_DOCUMENTS_PER_ADDRESS: "10+1/100s",
  });
  let addresses = 0;
  const freshAddress = () => `198.51.100.${++addresses}`;
  const from = (address: string) => ({ "x-forwarded-for": address });
  const logIn = (n: number, headers: Record<string, string>) =>
    post(messenger(), "/auth/login", { email: `guess.${n}@example.test`, password }, headers);
  const upgrade = (token: string, headers: Record<string, string>) =>
    Device.connect(`ws://127.0.0.1:${messenger().port}`, { headers: { authorization: `Bearer ${token}`, ...headers } });

  test.each(["/api/asyncapi.json", "/api/", "/api/swagger-ui-bundle.js", "/api/websocket", "/client.js"])(
    "has 10 documents of its own, such as %s, which do not count as reconnects",
    async (path) => {
      const [address, other] = [freshAddress(), freshAddress()];
      const get = (url: string, from_: string) => messenger().http("GET", url, { headers: from(from_) });
      for (let n = 0; n < 10; n++) expect((await get("/api/openapi.json", address)).status).toBe(200);
      expectLimited(await get(path, address), 100);
      expect((await get("/api/info", address)).status).toBe(200);
      expect((await get("/api/openapi.json", other)).status).toBe(200);
    },
  );

  test("has 20 log-ins and registrations of its own", async () => {
    const address = freshAddress();
    for (let n = 0; n < 10; n++) expect((await logIn(n, from(address))).status).toBe(401);
    for (let n = 0; n < 10; n++) {
      const account = { email: `new.${n}@example.test`, password, firstName: "New" };
      expect((await post(messenger(), "/auth/register", account, from(address))).status).toBe(201);
    }
    expectLimited(await logIn(20, from(address)), 100);
    expectLimited(await post(messenger(), "/auth/register", {}, from(address)), 100);
    expect((await logIn(21, from(freshAddress()))).status).toBe(401);
  });

  test("is taken from the trusted proxy, whatever the client puts into the header", async () => {
    const address = freshAddress();
    for (let n = 0; n < 20; n++) await logIn(n, from(`203.0.113.${n}, ${address}`));
    expectLimited(await logIn(20, from(`203.0.113.99, ${address}`)), 100);
    expectLimited(await logIn(21, from(address)), 100);
  });

  test("has one limit for opened WebSockets and refreshed tokens", async () => {
    const { token } = await messenger().person();
    const address = freshAddress();
    for (let n = 0; n < 5; n++) await (await upgrade(token, from(`203.0.113.${n}, ${address}`))).close();
    const refresh = () => post(messenger(), "/auth/refresh", { refreshToken: "no token" }, from(address));
    for (let n = 0; n < 5; n++) expect((await refresh()).status).toBe(401);
    expectLimited(await refresh(), 100);
    await expect(upgrade(token, from(`203.0.113.99, ${address}`))).rejects.toThrow("429");
    await (await upgrade(token, from(freshAddress()))).close();
  });
});

describe("without a trusted proxy", () => {
  const messenger = useMessenger({ RATE_LIMITS: "on", LIMIT_RECONNECTS_PER_ADDRESS: "3+1/100s" });

  test("X-Forwarded-For is ignored, over HTTP and for WebSockets", async () => {
    const refresh = (n: number) =>
      post(messenger(), "/auth/refresh", { refreshToken: "no token" }, { "x-forwarded-for": `203.0.113.${n}` });
    for (let n = 0; n < 3; n++) expect((await refresh(n)).status).toBe(401);
    expectLimited(await refresh(9), 100);
    const headers = { "x-forwarded-for": "203.0.113.77", authorization: "Bearer x" };
    await expect(Device.connect(`ws://127.0.0.1:${messenger().port}`, { headers })).rejects.toThrow("429");
  });
});

const limited = { error: true, code: "RATE_LIMITED", message: expect.any(String), retryAfterMs: expect.any(Number) };

const fiftyFrames = (opcode: number) => Buffer.concat(Array.from({ length: 50 }, () => wireFrame("", { opcode })));

/** Writes fifty frames and waits until they are answered; `ws` disconnects clients that do not read its pongs. */
async function writeFifty(raw: RawSocket, opcode: number, mark: number): Promise<void> {
  const request = wireFrame(`{"type":"sync","params":{"chats":[]},"requestId":${mark}}`);
  raw.write(Buffer.concat([fiftyFrames(opcode), request]));
  await raw.waitForText((text) => text.includes(`"requestId":${mark}`));
}

describe("a user", () => {
  const messenger = useMessenger({
    RATE_LIMITS: "on",
    LIMIT_LOGINS_PER_ADDRESS: "1000+1000/s",
    LIMIT_MESSAGES_PER_USER: "20+1/100s",
    LIMIT_REQUESTS_PER_USER: "30+1/100s",
  });

  test("has one limit for messages on all devices; each further one is rejected once and not stored", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const devices = [await ann.connect(), await ann.connect()];
    const bobsDevice = await bob.connect();
    const asking = devices.map(async (device) => {
      const answers = [];
      for (let n = 0; n < 20; n++) {
        answers.push(
          await device.exchange({ type: "privateMessage", params: { receiverId: bob.id, content: `${n}` } }),
        );
      }
      return answers;
    });
    const answers = (await Promise.all(asking)).flat();
    const refused = answers.filter(({ error }) => error);
    expect(refused.length).toBe(20);
    for (const frame of refused) {
      expect(frame).toEqual({ ...limited, type: "privateMessage", requestId: expect.any(String) });
      expect(frame.retryAfterMs).toBeGreaterThan(0);
    }
    const { params } = await bobsDevice.request("getlatestMessageDialog", { receiverId: ann.id, limit: 100, page: 1 });
    expect(params.data.length).toBe(20);
    await bobsDevice.request("privateMessage", { receiverId: ann.id, content: "not my fault" });
  });

  test("has the same limit for edits, deletions and group changes, and another one for reads", async () => {
    const ann = await messenger().person();
    const device = await ann.connect();
    const { params } = await device.request("privateMessage", { receiverId: ann.id, content: "one" });
    for (let n = 0; n < 8; n++) {
      await device.request("editMessage", { messageId: params.item.messageId, content: `edit ${n}` });
      await device.request("newGroup", { groupName: `group ${n}` });
    }
    await device.request("deleteMessage", { messageId: params.item.messageId });
    for (let n = 0; n < 2; n++) await device.request("newGroup", { groupName: "the last" });
    expect(await device.requestError("newGroup", { groupName: "one more" })).toMatchObject(limited);
    expect(await device.requestError("deleteMessage", { messageId: 1 })).toMatchObject(limited);
    await device.request("listLastMessage", { limit: 1, page: 1 });
  });

  test("has one limit for reads over HTTP and the WebSocket, invalid ones included", async () => {
    const ann = await messenger().person();
    const device = await ann.connect();
    for (let n = 0; n < 10; n++) await device.request("sync", { chats: [] });
    for (let n = 0; n < 10; n++)
      expect(await device.requestError("getMessages", {})).toMatchObject({ code: "VALIDATION" });
    for (let n = 0; n < 10; n++) {
      expect((await messenger().http("GET", "/users?search=x", { token: ann.token })).status).toBe(200);
    }
    expectLimited(await messenger().http("GET", "/users?search=x", { token: ann.token }), 100);
    expect(await device.requestError("sync", { chats: [] })).toMatchObject(limited);
    expect(await device.requestError("getMessages", {})).toMatchObject(limited);
    await device.request("privateMessage", { receiverId: ann.id, content: "still writing" });
  });

  test("who continues after rejections gets every answer and is then disconnected with 4429; other sockets are not", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const [flooding, quiet, bobsDevice] = [await ann.connect(), await ann.connect(), await bob.connect()];
    for (let n = 0; n < 300; n++) {
      flooding.send({ type: "privateMessage", params: { receiverId: bob.id, content: `${n}` }, requestId: n });
    }
    expect(await flooding.closed).toEqual({ code: 4429, reason: "too many requests" });
    const answered = flooding.frames.filter(({ requestId }) => requestId !== undefined);
    expect(answered.map(({ requestId }) => requestId)).toEqual(answered.map((_, index) => index));
    expect(answered.filter(({ success }) => success).length).toBe(20);
    expect(answered.filter(({ code }) => code === "RATE_LIMITED").length).toBeGreaterThanOrEqual(100);
    await quiet.settle();
    await bobsDevice.settle();
  });

  test.each(["ping", "pong"] as const)(
    "who sends a hundred %s frames within ten seconds is disconnected with 4429; others are not",
    async (name) => {
      const [ann, bob] = [await messenger().person(), await messenger().person()];
      const bobsDevice = await bob.connect();
      const raw = await RawSocket.open(messenger().port, ann.token);
      await writeFifty(raw, opcodes[name], 1);
      raw.write(fiftyFrames(opcodes[name]));
      expect(await raw.closed).toBe(4429);
      await bobsDevice.settle();
    },
  );
});

describe("with limits disabled", () => {
  const messenger = useMessenger({ RATE_LIMITS: "off" });
  const malformed = ["{", '{"type":"noSuchType"}', '{"type":"sync","params":{},"requestId":{}}', "[]"];

  test("malformed frames are each answered, and twenty of them still close the socket with 4400", async () => {
    const ann = await messenger().person();
    const [broken, other] = [await ann.connect(), await ann.connect()];
    for (let n = 0; n < 20; n++) broken.send(malformed[n % malformed.length] ?? "");
    expect(await broken.closed).toEqual({ code: 4400, reason: "too many malformed frames" });
    expect(broken.frames.length).toBe(20);
    for (const frame of broken.frames) expect(frame).toMatchObject({ error: true });
    await other.settle();
  });

  test("nineteen malformed frames and any number of invalid requests do not close the socket", async () => {
    const device = await (await messenger().person()).connect();
    for (let n = 0; n < 19; n++) await device.sendRaw("{");
    for (let n = 0; n < 50; n++) await device.requestError("getMessages", { chatId: "x" });
    await device.settle();
  });

  test("a frame that arrives in too many chunks closes the socket with 1008 before all are buffered", async () => {
    const raw = await RawSocket.open(messenger().port, (await messenger().person()).token);
    let open = true;
    void raw.closed.then(() => {
      open = false;
    });
    for (const byte of wireFrame("x".repeat(2 * 1024))) {
      if (!open) break;
      raw.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect(await raw.closed).toBe(1008);
  });

  test("all pings are answered", async () => {
    const raw = await RawSocket.open(messenger().port, (await messenger().person()).token);
    for (let mark = 1; mark <= 5; mark++) await writeFifty(raw, opcodes.ping, mark);
    expect(raw.pongs).toBe(250);
    raw.reset();
  });

  test("a user can open sockets, send messages and try passwords without limit", async () => {
    const ann = await messenger().person();
    const devices = [];
    for (let n = 0; n < 12; n++) devices.push(await ann.connect());
    for (const device of devices) await device.settle();
    const [device] = devices;
    for (let n = 0; n < 300; n++) {
      device?.send({ type: "privateMessage", params: { receiverId: ann.id, content: `${n}` }, requestId: `n${n}` });
    }
    await device?.settle();
    expect(device?.frames.filter(({ error }) => error)).toEqual([]);
    for (let n = 0; n < 8; n++) {
      const wrong = { email: ann.email, password: "a wrong password" };
      expect((await post(messenger(), "/auth/login", wrong)).status).toBe(401);
    }
  });
});

describe("sockets", () => {
  const messenger = useMessenger({
    RATE_LIMITS: "on",
    LIMIT_RECONNECTS_PER_ADDRESS: "100000+100000/s",
    MAX_SOCKETS: "14",
  });

  test("of one user: the eleventh closes the oldest with 4409, and no other user's", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const bobsDevice = await bob.connect();
    const devices = [];
    for (let n = 0; n < 11; n++) devices.push(await ann.connect());
    const [oldest, ...others] = devices;
    expect(await oldest?.closed).toEqual({ code: 4409, reason: "too many sockets" });
    for (const device of [...others, bobsDevice]) await device.settle();
  });

  test("of one process: a new one beyond the limit is closed with 1013", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const inside = [];
    for (let n = 0; n < 14; n++) inside.push(await (n % 2 ? ann : bob).connect());
    const late = await ann.connect();
    expect(await late.closed).toEqual({ code: 1013, reason: "overloaded" });
    for (const device of inside) await device.settle();
    await inside[0]?.close();
    await (await ann.connect()).settle();
  });

  test("of a client that closes it but leaves the connection open stop counting soon", async () => {
    const [ann, bob] = [await messenger().person(), await messenger().person()];
    const leaving = await ann.connect();
    for (let n = 0; n < 13; n++) await (n % 2 ? ann : bob).connect();
    leaving.socket.pause();
    leaving.socket.close();
    const isAccepted = async () => {
      const device = await bob.connect();
      return Promise.race([device.closed.then(() => false), device.settle().then(() => true)]);
    };
    const since = Date.now();
    while (!(await isAccepted())) expect(Date.now() - since).toBeLessThan(15_000);
    leaving.socket.terminate();
  }, 20_000);
});
