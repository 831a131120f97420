import { readFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import dotenv from "dotenv";
import { allSettings, readSettings, settingsWarnings } from "../src/config/read-settings.ts";
import { unknownSettings } from "../src/config/unknown-settings.ts";

const secret = "Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA9k3";
const file = (path: string): string => readFileSync(join(__dirname, "..", path), "utf8");

describe("defaults", () => {
  test("without any variable the embedded database is used and port 3000 listens on this machine only", () => {
    expect(readSettings({})).toMatchObject({
      server: { environment: "development", dataDir: "./data" },
      http: { host: "127.0.0.1", port: 3000, headersTimeoutMs: 10_000, allowedOrigins: [] },
      database: { url: undefined },
      redis: { url: undefined },
      web: { enabled: true, serverName: "Messenger", publicUrl: undefined },
      tokens: { secret: undefined, lifetimeSeconds: 24 * 60 * 60, refreshLifetimeMs: 90 * 24 * 60 * 60 * 1000 },
      passwords: { cost: 12, maxQueued: 32 },
    });
  });

  test("an empty variable counts as unset", () => {
    const empty = Object.fromEntries(allSettings.map(({ variable }) => [variable, ""]));
    expect(readSettings(empty)).toEqual(readSettings({}));
  });

  test("settings are frozen at every level", () => {
    const expectFrozen = (value: unknown): void => {
      expect(Object.isFrozen(value)).toBe(true);
      if (typeof value === "object" && value !== null) Object.values(value).forEach(expectFrozen);
    };
    expectFrozen(readSettings({ ALLOWED_ORIGINS: "https://a.example,https://b.example" }));
  });
});

describe("computed defaults", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("HOST is every address in production", () => {
    expect(readSettings({ NODE_ENV: "production", JWT_SECRET: secret }).http.host).toBe("0.0.0.0");
    expect(readSettings({ NODE_ENV: "production", JWT_SECRET: secret, HOST: "::1" }).http.host).toBe("::1");
  });

  test.each([
    { headers: "1", request: 15_000 },
    { headers: "15", request: 15_000 },
    { headers: "40", request: 40_000 },
  ])("with HEADERS_TIMEOUT_SECONDS=$headers a request may take $request ms", ({ headers, request }) => {
    expect(readSettings({ HEADERS_TIMEOUT_SECONDS: headers }).http.requestTimeoutMs).toBe(request);
  });

  test("the wait for a connection is longer on the embedded database, which has only one", () => {
    const DATABASE_URL = "postgres://localhost/x";
    const acquireMs = (environment: Record<string, string>) => readSettings(environment).database.timeouts.acquireMs;
    expect(acquireMs({})).toBe(10_000);
    expect(acquireMs({ DATABASE_URL })).toBe(3000);
    expect(acquireMs({ DATABASE_URL, DATABASE_ACQUIRE_TIMEOUT_SECONDS: "7" })).toBe(7000);
  });

  test("MAX_CONNECTIONS leaves 2000 connections for HTTP besides the WebSockets", () => {
    expect(readSettings({ MAX_SOCKETS: "50000" }).http.maxConnections).toBe(52_000);
    expect(readSettings({ MAX_SOCKETS: "50000", MAX_CONNECTIONS: "100" }).http.maxConnections).toBe(100);
  });

  test.each([
    { cores: 1, threads: undefined, concurrency: 1 },
    { cores: 2, threads: undefined, concurrency: 1 },
    { cores: 4, threads: undefined, concurrency: 3 },
    { cores: 64, threads: undefined, concurrency: 3 },
    { cores: 64, threads: "1", concurrency: 1 },
    { cores: 64, threads: "16", concurrency: 15 },
    { cores: 8, threads: "16", concurrency: 7 },
  ])("with $cores cores and $threads threads, $concurrency passwords are hashed at a time", (given) => {
    jest.spyOn(os, "availableParallelism").mockReturnValue(given.cores);
    expect(readSettings({ UV_THREADPOOL_SIZE: given.threads }).passwords.concurrency).toBe(given.concurrency);
  });
});

describe("values", () => {
  test("seconds are read as milliseconds, origins as a list, rates as their three numbers", () => {
    const settings = readSettings({
      KEEP_ALIVE_SECONDS: "7",
      ALLOWED_ORIGINS: "HTTPS://A.example:443,http://localhost:5173",
      LIMIT_MESSAGES_PER_USER: "30+5/s",
    });
    expect(settings.http).toMatchObject({
      keepAliveMs: 7000,
      allowedOrigins: ["https://a.example", "http://localhost:5173"],
    });
    expect(settings.limits.rates).toMatchObject({
      logInsPerAccount: { burst: 5, amount: 1, seconds: 12 },
      logInsPerAddress: { burst: 20, amount: 1, seconds: 3 },
      messagesPerUser: { burst: 30, amount: 5, seconds: 1 },
    });
  });

  test.each([
    ["on", true],
    ["off", false],
  ])("RATE_LIMITS=%s makes enabled %s", (RATE_LIMITS, enabled) => {
    expect(readSettings({ RATE_LIMITS }).limits.enabled).toBe(enabled);
  });
});

describe("values for people", () => {
  test.each([
    ["https://chat.example.org", "https://chat.example.org"],
    ["https://chat.example.org/", "https://chat.example.org"],
    ["HTTPS://Chat.example.org:443", "https://chat.example.org"],
    ["http://192.168.0.7:3000", "http://192.168.0.7:3000"],
    ["http://[::1]:3000/", "http://[::1]:3000"],
  ])("PUBLIC_URL=%s is read as %s", (PUBLIC_URL, publicUrl) => {
    expect(readSettings({ PUBLIC_URL }).web.publicUrl).toBe(publicUrl);
  });

  test.each([
    "chat.example.org",
    "ftp://chat.example.org",
    "https://",
    "https://chat.example.org/messenger",
    "https://chat.example.org/?x",
    "https://me@chat.example.org",
    "https://chat example.org",
    "javascript:alert(1)",
  ])("%j is no PUBLIC_URL", (PUBLIC_URL) => {
    expect(() => readSettings({ PUBLIC_URL })).toThrow(
      /^"PUBLIC_URL" must look like https:\/\/chat\.example\.org, without a path$/,
    );
  });

  test.each(["Vereinsgespräch", "Tom & Jerry <3", "家族", "🏡", "x".repeat(64)])(
    "%j may be a SERVER_NAME",
    (SERVER_NAME) => {
      expect(readSettings({ SERVER_NAME }).web.serverName).toBe(SERVER_NAME);
    },
  );

  test.each([" ", "x".repeat(65), "a\nb", "\u200b", "a\u0000", "a\u202eb"])("%j is no SERVER_NAME", (SERVER_NAME) => {
    expect(() => readSettings({ SERVER_NAME })).toThrow(/"SERVER_NAME" must be 1 to 64 characters/);
  });
});

describe("invalid values", () => {
  test.each([
    ["a port that is not a number", { PORT: "http" }, /"PORT" must be a number/],
    ["a port out of range", { PORT: "70000" }, /"PORT" must be less than or equal to 65535/],
    ["a database of another kind", { DATABASE_URL: "mysql://localhost/x" }, /"DATABASE_URL" must look like postgres:/],
    ["a short secret, in development too", { JWT_SECRET: "short" }, /"JWT_SECRET" needs 32 bytes or more/],
    ["text that is not an origin", { ALLOWED_ORIGINS: "example.org" }, /"ALLOWED_ORIGINS" must be origins such as/],
    ["a prefix with a space", { REDIS_PREFIX: "a b" }, /"REDIS_PREFIX" must be up to 64 letters/],
    [
      "less time for a request than for its headers",
      { HEADERS_TIMEOUT_SECONDS: "20", REQUEST_TIMEOUT_SECONDS: "19" },
      /"REQUEST_TIMEOUT_SECONDS" must be at least HEADERS_TIMEOUT_SECONDS/,
    ],
    ["all threads for passwords", { BCRYPT_PARALLEL: "4" }, /"BCRYPT_PARALLEL" must be at most UV_THREADPOOL_SIZE - 1/],
    ["an unknown mode", { NODE_ENV: "prod" }, /"NODE_ENV" must be one of \[development, test, production\]/],
    ["an unknown switch", { RATE_LIMITS: "false" }, /"RATE_LIMITS" must be one of \[on, off\]/],
  ])("%s: the error names the variable and the rule", (_what, environment, words) => {
    expect(() => readSettings(environment)).toThrow(words);
  });

  test.each(["60", "60/s", "60+0/s", "5+10/s", "60+10/m", "60+10/0s", "-1+1/s", "60 + 10/s"])(
    "%j is not a rate",
    (text) => {
      expect(() => readSettings({ LIMIT_MESSAGES_PER_USER: text })).toThrow(
        /"LIMIT_MESSAGES_PER_USER" must look like 60/,
      );
    },
  );

  test("no error contains the value, which may be a secret", () => {
    const numbers = new Set(["UV_THREADPOOL_SIZE", "PORT", "BCRYPT_COST"]);
    const invalid = { JWT_SECRET: "hunter2", DATABASE_URL: "mysql://me:hunter2@localhost", REDIS_URL: "hunter2" };
    const others = allSettings.filter(({ variable }) => numbers.has(variable) || /^(MAX|LIMIT)_/.test(variable));
    for (const [variable, value] of [
      ...Object.entries(invalid),
      ...others.map(({ variable }) => [variable, "hunter2"] as const),
    ]) {
      const read = () => readSettings({ [variable]: value });
      expect(read).toThrow(variable);
      expect(read).not.toThrow(/hunter2/);
    }
  });
});

describe("production", () => {
  test.each([
    ["no secret", {}, /JWT_SECRET is required in production/],
    [
      "a secret from documentation",
      { JWT_SECRET: "a-string-secret-at-least-256-bits-long" },
      /JWT_SECRET is well known/,
    ],
    ["a repetitive secret", { JWT_SECRET: "ab".repeat(30) }, /JWT_SECRET is well known or repetitive/],
    [
      "a repetitive previous secret",
      { JWT_SECRET: secret, JWT_SECRET_PREVIOUS: "ab".repeat(30) },
      /JWT_SECRET_PREVIOUS is well known or repetitive/,
    ],
    ["cheap password hashes", { JWT_SECRET: secret, BCRYPT_COST: "9" }, /BCRYPT_COST below 10 is refused/],
  ])("is refused with %s, which development accepts", (_what, environment: Record<string, string>, words) => {
    expect(() => readSettings({ NODE_ENV: "production", ...environment })).toThrow(words);
    expect(() => readSettings(environment)).not.toThrow();
  });
});

describe("BACKUP_EVERY", () => {
  test.each([
    ["1m", 60_000],
    ["24h", 86_400_000],
    ["20d", 20 * 86_400_000],
  ])("%s is %d milliseconds", (BACKUP_EVERY, everyMs) => {
    expect(readSettings({ BACKUP_EVERY }).backups).toEqual({ everyMs, keep: 7 });
  });

  test.each(["24", "0h", "1s", "21d", "1.5h", "24h "])("%j is rejected with the allowed form", (BACKUP_EVERY) => {
    expect(() => readSettings({ BACKUP_EVERY })).toThrow(
      /^"BACKUP_EVERY" must be 1m to 20d, in minutes \(30m\), hours \(24h\) or days \(7d\)$/,
    );
  });

  test("is unset by default, and with DATABASE_URL a warning says that it has no effect", () => {
    expect(readSettings({}).backups.everyMs).toBeUndefined();
    const config = readSettings({ BACKUP_EVERY: "24h", DATABASE_URL: "postgres://localhost/messenger" });
    expect(settingsWarnings(config)).toContainEqual(
      expect.stringMatching(/^BACKUP_EVERY has no effect with DATABASE_URL/),
    );
  });
});

describe("documents", () => {
  const example = dotenv.parse(file(".env.example").replaceAll(/^# (?=[A-Z_]+=)/gm, ""));
  const { DATABASE_URL = "", REDIS_URL, PUBLIC_URL, SMTP_URL, MAIL_FROM, BACKUP_EVERY, FILES_URL, ...others } = example;
  const variables = allSettings.map(({ variable }) => variable).sort();

  test("every variable is declared once", () => {
    expect(new Set(variables).size).toBe(variables.length);
  });

  test(".env.example has every variable, with its default", () => {
    expect(Object.keys(example).sort()).toEqual(variables);
    expect(REDIS_URL).toBe("redis://127.0.0.1:6379");
    expect(PUBLIC_URL).toBe("https://chat.example.org");
    expect(readSettings({ SMTP_URL, MAIL_FROM }).mail).toMatchObject({ smtpUrl: SMTP_URL, from: MAIL_FROM });
    expect(BACKUP_EVERY).toBe("24h");
    expect(readSettings({ FILES_URL }).files.url).toBe(FILES_URL);
    expect(readSettings(others)).toEqual(readSettings({}));
  });

  test("the settings page has a row for every variable", () => {
    const rows = [...file("docs/operations/settings.md").matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(rows.sort()).toEqual(variables);
  });

  test("the DATABASE_URL of .env.example is the PostgreSQL of docker-compose.yml", () => {
    const compose = file("docker-compose.yml");
    const value = (name: string) => new RegExp(`${name}: (?:\\$\\{${name}:-)?(\\w+)`).exec(compose)?.[1];
    const address = `127.0.0.1:5432/${value("POSTGRES_DB")}`;
    expect(compose).toContain("- 127.0.0.1:5432:5432");
    expect(DATABASE_URL).toBe(`postgres://${value("POSTGRES_USER")}:${value("POSTGRES_PASSWORD")}@${address}`);
  });

  test("docker-compose.yml and the Dockerfile set only variables that exist", () => {
    const [, service = ""] = /^ {2}messenger:\n([\s\S]*?)^\S/m.exec(file("docker-compose.yml")) ?? [];
    const [, block = ""] = /^ {4}environment:\n((?: {6}.*\n)+)/m.exec(service) ?? [];
    const inCompose = [...block.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name = ""]) => name);
    const [, line = ""] = /^ENV (.*)$/m.exec(file("Dockerfile")) ?? [];
    const inImage = line.split(" ").map((pair) => pair.replace(/=.*/, ""));
    expect(inCompose).toContain("DATABASE_URL");
    expect([...inCompose, ...inImage].filter((name) => !variables.includes(name))).toEqual([]);
  });
});

describe("variables that are no settings", () => {
  const settings = allSettings.map(({ variable }) => variable);
  const sentences = (environment: Record<string, string>, dotenvText: string) =>
    unknownSettings(settings, environment, dotenvText).map(({ sentence }) => sentence);

  test("a misspelled variable of the environment is named, with the setting that was probably meant", () => {
    expect(sentences({ LOGLEVEL: "debug", PATH: "/bin", HOME: "/root" }, "")).toEqual([
      "LOGLEVEL is not a setting and has no effect; did you mean LOG_LEVEL?",
    ]);
  });

  test("a name is a misspelling with two missing or additional characters, a short one with one", () => {
    expect(sentences({ DATABASE_U: "", DATABASE_URL_2: "", DATABASE: "", PORTS: "", POR: "", PORTXX: "" }, "")).toEqual(
      [
        "DATABASE_U is not a setting and has no effect; did you mean DATABASE_URL?",
        "DATABASE_URL_2 is not a setting and has no effect; did you mean DATABASE_URL?",
        "PORTS is not a setting and has no effect; did you mean PORT?",
        "POR is not a setting and has no effect; did you mean PORT?",
      ],
    );
  });

  test("a variable of the environment with a prefix of ours is named, one of other programs is not", () => {
    expect(sentences({ LIMIT_CALLS_PER_DAY: "5+1/s", REDIS_PORT_6379_TCP: "tcp://10.0.0.1:6379" }, "")).toEqual([
      "LIMIT_CALLS_PER_DAY is not a setting and has no effect",
    ]);
  });

  test("every unknown variable of .env is named", () => {
    expect(sentences({ FOO: "1" }, "FOO=1\n")).toEqual(["FOO in .env is not a setting and has no effect"]);
  });

  test("a valid .env causes no warning: comments, quotes over several lines, export and empty values", () => {
    const text = "# comment\n\nexport LOG_LEVEL=info # why\nJWT_SECRET='one\ntwo'\nREDIS_URL=\n";
    expect(sentences({ LOG_LEVEL: "info" }, text)).toEqual([]);
  });

  test("a malformed line of .env is an error that names the line and not its text", () => {
    const read = () => sentences({}, "# comment\nJWT_SECRET='one\ntwo'\nmy secret\n");
    expect(read).toThrow("Line 4 of .env is not a setting: write NAME=value, or # for a comment.");
  });
});
