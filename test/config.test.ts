import { readFileSync } from "node:fs";
import os from "node:os";
import { describe, expect, jest, test } from "@jest/globals";
import { readConfig, settingNames } from "../src/config/config.ts";

const secret = "Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA9k3";

describe("settings", () => {
  test("none are needed: the embedded database, port 3000, for this machine only", () => {
    expect(readConfig({})).toMatchObject({
      production: false,
      host: "127.0.0.1",
      port: 3000,
      databaseUrl: undefined,
      dataDir: "./data",
      passwords: { cost: 12, mostWaiting: 32 },
      tokenLifetimeSeconds: 24 * 60 * 60,
    });
  });

  test("production listens to everyone", () => {
    expect(readConfig({ NODE_ENV: "production", JWT_SECRET: secret })).toMatchObject({ host: "0.0.0.0" });
  });

  test("an empty variable counts as unset", () => {
    expect(readConfig({ PORT: "", DATABASE_URL: "", JWT_SECRET: "" })).toEqual(readConfig({}));
  });

  test("each is in .env.example, and what is written there is the default", () => {
    const example = readFileSync(new URL("../.env.example", `file://${__filename}`), "utf8");
    const lines = [...example.matchAll(/^# ([A-Z][A-Z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => ({
      name,
      value,
    }));
    expect(lines.map(({ name }) => name).sort()).toEqual([...settingNames].sort());
    const others = new Set(["DATABASE_URL", "REDIS_URL", "REDIS_PREFIX"]);
    for (const { name, value } of lines.filter(({ name }) => !others.has(name))) {
      expect({ name, config: readConfig({ [name]: value }) }).toEqual({ name, config: readConfig({}) });
    }
  });

  test("what hangs together is frozen together", () => {
    const config = readConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    for (const group of Object.values(config)) expect(Object.isFrozen(group)).toBe(true);
  });

  test("a connection is waited for longer where there is only one", () => {
    const DATABASE_URL = "postgres://localhost/x";
    expect(readConfig({}).databasePatience.acquireMs).toBe(10_000);
    expect(readConfig({ DATABASE_URL }).databasePatience.acquireMs).toBe(3000);
    expect(readConfig({ DATABASE_URL, DATABASE_ACQUIRE_TIMEOUT_SECONDS: "7" }).databasePatience.acquireMs).toBe(7000);
  });

  test("there is room for as many connections as WebSockets, and for HTTP", () => {
    expect(readConfig({ MAX_SOCKETS: "50000" }).http.maxConnections).toBe(52_000);
    expect(readConfig({ MAX_SOCKETS: "50000", MAX_CONNECTIONS: "100" }).http.maxConnections).toBe(100);
  });

  test.each([
    { cores: 1, threads: undefined, atATime: 1 },
    { cores: 2, threads: undefined, atATime: 1 },
    { cores: 4, threads: undefined, atATime: 3 },
    { cores: 64, threads: undefined, atATime: 3 },
    { cores: 64, threads: "1", atATime: 1 },
    { cores: 64, threads: "16", atATime: 15 },
    { cores: 8, threads: "16", atATime: 7 },
  ])("of $cores cores and $threads threads, $atATime hash passwords: one of each is left", (given) => {
    jest.spyOn(os, "availableParallelism").mockReturnValue(given.cores);
    expect(readConfig({ UV_THREADPOOL_SIZE: given.threads }).passwords.atATime).toBe(given.atATime);
    jest.restoreAllMocks();
  });

  test("a limit is a burst and what comes back; off lifts the limits and the sockets of one person, and no size", () => {
    const settings = { LIMIT_MESSAGES_PER_USER: "30+5/s", MAX_SOCKETS: "500" };
    expect(readConfig(settings)).toMatchObject({
      rates: {
        logInsPerAccount: { burst: 5, amount: 1, seconds: 12 },
        logInsPerAddress: { burst: 20, amount: 1, seconds: 3 },
        messagesPerUser: { burst: 30, amount: 5, seconds: 1 },
      },
      maxSocketsPerUser: 10,
      maxSockets: 500,
    });
    expect(readConfig({ ...settings, RATE_LIMITS: "off" })).toMatchObject({
      rates: undefined,
      maxSocketsPerUser: Number.POSITIVE_INFINITY,
      maxSockets: 500,
    });
  });

  test.each(["60", "60/s", "60+0/s", "5+10/s", "60+10/m", "60+10/0s", "-1+1/s", "60 + 10/s"])(
    "%j is no limit",
    (text) => {
      expect(() => readConfig({ LIMIT_MESSAGES_PER_USER: text })).toThrow(
        /"LIMIT_MESSAGES_PER_USER" must look like 60/,
      );
    },
  );

  test.each([
    ["a port that is no number", { PORT: "http" }, /"PORT" must be a number/],
    ["a port out of range", { PORT: "70000" }, /"PORT" must be less than or equal to 65535/],
    ["a database of another kind", { DATABASE_URL: "mysql://localhost/x" }, /"DATABASE_URL" must look like postgres:/],
    ["a short secret, in development too", { JWT_SECRET: "short" }, /"JWT_SECRET" needs 32 bytes or more/],
    ["origins that are none", { ALLOWED_ORIGINS: "example.org" }, /"ALLOWED_ORIGINS" must be origins/],
    [
      "less time for a whole request than for its headers",
      { HEADERS_TIMEOUT_SECONDS: "20", REQUEST_TIMEOUT_SECONDS: "19" },
      /"REQUEST_TIMEOUT_SECONDS" must be greater than or equal to ref:HEADERS_TIMEOUT_SECONDS/,
    ],
    ["no thread for anything but passwords", { BCRYPT_PARALLEL: "4" }, /"BCRYPT_PARALLEL" must be less than UV_THREAD/],
    ["a mode that is none", { NODE_ENV: "prod" }, /"NODE_ENV" must be one of/],
    ["production without a secret", { NODE_ENV: "production" }, /JWT_SECRET is required in production/],
    [
      "production with a secret from the documentation",
      { NODE_ENV: "production", JWT_SECRET: "a-string-secret-at-least-256-bits-long" },
      /JWT_SECRET is well known/,
    ],
    [
      "production with a repetitive secret",
      { NODE_ENV: "production", JWT_SECRET: "ab".repeat(30) },
      /JWT_SECRET is well known/,
    ],
    [
      "production with cheap password hashes",
      { NODE_ENV: "production", JWT_SECRET: secret, BCRYPT_COST: "9" },
      /BCRYPT_COST below 10 is refused/,
    ],
  ])("%s is refused with a sentence that names the variable", (_what, environment, words) => {
    expect(() => readConfig(environment)).toThrow(words);
  });

  test("a refusal never shows the value, which may be a secret", () => {
    expect(() => readConfig({ JWT_SECRET: "hunter2" })).not.toThrow(/hunter2/);
    expect(() => readConfig({ DATABASE_URL: "mysql://me:hunter2@localhost" })).not.toThrow(/hunter2/);
  });
});
