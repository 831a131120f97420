import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { checkBackups } from "../src/cli/doctor/backups.ts";
import { checkDataFolder } from "../src/cli/doctor/data-folder.ts";
import { describeDiagnosis } from "../src/cli/doctor/database.ts";
import { diagnoseEnvironment } from "../src/cli/doctor/diagnose.ts";
import type { Finding } from "../src/cli/doctor/finding.ts";
import { readSettings } from "../src/config/read-settings.ts";
import { diagnose } from "../src/db/diagnose.ts";
import { migrate } from "../src/db/migrate.ts";
import { Cluster, freePort } from "./support/cluster.ts";
import { makeDatabase, onServer } from "./support/databases.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithProcesses } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { TestRedis } from "./support/redis.ts";
import { silentLog } from "./support/silent.ts";

/*
 * The doctor finds each set-up that is broken on purpose, and nothing in a healthy one. One file despite its length, because
 * it is mostly two tables, whose rows share one PostgreSQL server and one Redis.
 */

type Environment = Record<string, string>;

const secret = "Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA9k3";
const root = join(__dirname, "..");

let folder: string;
const closed: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "messenger-doctor-"));
});

afterEach(async () => {
  await Promise.all(closed.splice(0).map((close) => close()));
  await rm(folder, { recursive: true, force: true });
});

/** Never the `.env` of the developer. */
const examine = (environment: Environment): Promise<Finding[]> =>
  diagnoseEnvironment(environment, { text: "", path: join(folder, "no-such-file") });

/** Expects one finding, with something to do. */
function expectOnly(findings: Finding[], level: Finding["level"], what: RegExp): void {
  expect(findings).toEqual([
    {
      level,
      what: expect.stringMatching(what),
      why: expect.stringMatching(/\.$/),
      fix: expect.stringMatching(/\w{3}/),
    },
  ]);
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closed.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

describe("with the embedded database", () => {
  const healthy = (): Environment => ({ DATA_DIR: join(folder, "data"), PORT: "0" });
  const inData = (...names: string[]) => join(folder, "data", ...names);

  test("finds nothing before the first start, and creates nothing", async () => {
    expect(await examine(healthy())).toEqual([]);
    await expect(chmod(inData(), 0o700)).rejects.toThrow("ENOENT");
  });

  (onServer ? test.skip : test)("finds nothing beside a running server, and nothing after it", async () => {
    const database = await makeDatabase();
    closed.push(() => database.remove());
    await chmod(database.settings.DATA_DIR, 0o700);
    const server = await ServerProcess.start(database.settings);
    expect(await examine({ ...database.settings, PORT: String(server.port) })).toEqual([]);
    await server.stop("SIGTERM");
    expect(await examine({ ...database.settings, PORT: "0" })).toEqual([]);
    await rename(join(database.settings.DATA_DIR, "postgres", "global", "pg_control"), join(folder, "pg_control"));
    expectOnly(await examine(database.settings), "error", /global\/pg_control is missing/);
    await rename(join(folder, "pg_control"), join(database.settings.DATA_DIR, "postgres", "global", "pg_control"));
    await writeFile(join(database.settings.DATA_DIR, "postgres", "PG_VERSION"), "17\n");
    expectOnly(await examine(database.settings), "error", /is one of PostgreSQL 17, and this version contains/);
  });

  test.each<[string, Finding["level"], RegExp, () => Promise<Environment>]>([
    ["a misspelled variable", "warning", /LOGLEVEL .* did you mean LOG_LEVEL/, async () => ({ LOGLEVEL: "debug" })],
    ["an invalid value", "error", /"PORT" must be a number/, async () => ({ PORT: "http" })],
    ["a short secret", "error", /"JWT_SECRET" needs 32 bytes/, async () => ({ JWT_SECRET: "short" })],
    ["a weak secret", "warning", /JWT_SECRET is well known/, async () => ({ JWT_SECRET: "ab".repeat(30) })],
    [
      "a secret that is given twice",
      "error",
      /JWT_SECRET and JWT_SECRET_FILE are both set/,
      async () => {
        await writeFile(join(folder, "secret"), secret, { mode: 0o600 });
        return { JWT_SECRET: secret, JWT_SECRET_FILE: join(folder, "secret") };
      },
    ],
    [
      "a secret file that everybody can read",
      "warning",
      /secret is open to other users of the machine \(mode 644\)/,
      async () => {
        await writeFile(join(folder, "secret"), secret);
        await chmod(join(folder, "secret"), 0o644);
        return { JWT_SECRET_FILE: join(folder, "secret") };
      },
    ],
    ["a missing secret file", "error", /cannot be read \(ENOENT\)/, async () => ({ JWT_SECRET_FILE: "/nowhere" })],
    ["a previous secret", "warning", /JWT_SECRET_PREVIOUS is set/, async () => ({ JWT_SECRET_PREVIOUS: secret })],
    [
      "the same secret twice",
      "warning",
      /JWT_SECRET_PREVIOUS is the same/,
      async () => ({ JWT_SECRET: secret, JWT_SECRET_PREVIOUS: secret }),
    ],
    ["no rate limits", "warning", /RATE_LIMITS is off/, async () => ({ RATE_LIMITS: "off" })],
    ["development for other machines", "warning", /NODE_ENV is development/, async () => ({ HOST: "0.0.0.0" })],
    [
      "https without a trusted proxy",
      "warning",
      /TRUSTED_PROXY_HOPS is 0/,
      async () => ({ NODE_ENV: "test", PUBLIC_URL: "https://localhost" }),
    ],
    [
      "a data folder that is a file",
      "error",
      /cannot be used: it is not a folder/,
      async () => {
        await writeFile(inData(), "");
        return {};
      },
    ],
    [
      "a data folder that everybody can read",
      "warning",
      /The data folder .* is open to other users/,
      async () => {
        await mkdir(inData());
        await chmod(inData(), 0o755);
        return {};
      },
    ],
    [
      "a half of a database",
      "error",
      /is incomplete: PG_VERSION is missing/,
      async () => {
        await mkdir(inData("postgres", "base"), { recursive: true, mode: 0o700 });
        return {};
      },
    ],
    [
      "half a generated secret",
      "error",
      /jwt-secret does not contain a complete secret/,
      async () => {
        await mkdir(inData(), { mode: 0o700 });
        await writeFile(inData("jwt-secret"), "half", { mode: 0o600 });
        return {};
      },
    ],
    [
      "a generated secret that everybody can read",
      "warning",
      /jwt-secret is open to other users/,
      async () => {
        await mkdir(inData(), { mode: 0o700 });
        await writeFile(inData("jwt-secret"), secret);
        await chmod(inData("jwt-secret"), 0o644);
        return {};
      },
    ],
    [
      "no backup in the folder for backups",
      "warning",
      /There is no backup in/,
      async () => {
        await mkdir(inData("backups"), { recursive: true, mode: 0o700 });
        return {};
      },
    ],
    [
      "a port on which another program listens",
      "error",
      /cannot listen on 127\.0\.0\.1:\d+: another program does/,
      async () => ({ PORT: String(await listen(createServer((socket) => socket.destroy()))) }),
    ],
    [
      "a server that is not ready",
      "error",
      /is not ready: database: read-only/,
      async () => {
        const server = createHttpServer((request, response) => {
          const isLive = request.url === "/health/live";
          response.statusCode = isLive ? 200 : 503;
          response.setHeader("Content-Type", "application/json");
          response.end(
            JSON.stringify(isLive ? { status: "live" } : { checks: { server: "ok", database: "read-only" } }),
          );
        });
        return { PORT: String(await listen(server)) };
      },
    ],
  ])("finds %s", async (_what, level, what, prepare) => {
    expectOnly(await examine({ ...healthy(), ...(await prepare()) }), level, what);
  });

  test.each([
    [500, "warning"],
    [50, "error"],
  ] as const)("finds that only %i MiB are free: %s", async (mebibytes, level) => {
    await mkdir(inData(), { mode: 0o700 });
    const findings = await checkDataFolder(readSettings(healthy()), { freeBytes: async () => mebibytes * 1024 ** 2 });
    expectOnly(findings, level, new RegExp(`^Only ${mebibytes} MiB are free`));
  });

  test("finds an old backup", async () => {
    await mkdir(inData("backups"), { recursive: true, mode: 0o700 });
    await writeFile(inData("backups", "one.zip"), "");
    expect(await checkBackups(readSettings(healthy()))).toEqual([]);
    const threeDaysAgo = Date.now() / 1000 - 72 * 3600;
    await utimes(inData("backups", "one.zip"), threeDaysAgo, threeDaysAgo);
    expectOnly(await checkBackups(readSettings(healthy())), "warning", /The newest backup .* is 72 hours old/);
  });
});

describeWithProcesses("with a PostgreSQL server and Redis", () => {
  let cluster: Cluster;
  let redis: TestRedis;
  let databases = 0;

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
    redis = await TestRedis.start({ parameters: ["--requirepass", "geheim"] });
    await migrate(cluster.url, silentLog);
  });

  afterAll(async () => {
    await redis?.kill();
    await cluster?.remove();
  });

  const redisUrl = () => redis.url.replace("//", "//:geheim@");
  const healthy = (): Environment => ({
    NODE_ENV: "production",
    HOST: "127.0.0.1",
    PORT: "0",
    JWT_SECRET: secret,
    PUBLIC_URL: "https://chat.example.org",
    TRUSTED_PROXY_HOPS: "1",
    REGISTRATION: "invite",
    DATABASE_URL: cluster.url,
    REDIS_URL: redisUrl(),
    DATA_DIR: join(folder, "data"),
  });

  /** Creates a database, migrated unless `options` says how to create it. @returns its URL */
  async function createDatabase(options?: string): Promise<string> {
    const name = `doctor${++databases}`;
    await onDatabase(cluster.url, (client) => client.query(`CREATE DATABASE ${name} ${options ?? ""}`));
    const url = cluster.url.replace(/postgres$/, name);
    if (options === undefined) await migrate(url, silentLog);
    return url;
  }

  const run = (url: string, sql: string) => onDatabase(url, (client) => client.query(sql));

  test("finds nothing, beside a running server neither", async () => {
    expect(await examine(healthy())).toEqual([]);
    const server = await ServerProcess.start({ ...healthy(), BCRYPT_COST: "10", RATE_LIMITS: "on" });
    closed.push(() => server.stop("SIGKILL"));
    expect(await examine({ ...healthy(), PORT: String(server.port) })).toEqual([]);
    const elsewhere = await ServerProcess.start({ ...healthy(), REDIS_PREFIX: "elsewhere", BCRYPT_COST: "10" });
    closed.push(() => elsewhere.stop("SIGKILL"));
    await onDatabase(cluster.url, async (client) => {
      while ((await client.query("SELECT FROM server_processes")).rowCount !== 2);
    });
    expectOnly(await examine(healthy()), "warning", /1 of 2 processes with Redis are not connected to 127/);
    const { REDIS_URL: _unset, ...withoutRedis } = healthy();
    expectOnly(await examine(withoutRedis), "warning", /2 processes share the database, and REDIS_URL is unset/);
    await Promise.all([server, elsewhere].map((one) => one.stop("SIGTERM")));
  });

  test.each<[string, Finding["level"], RegExp, () => Promise<Environment>]>([
    ["no secret in production", "error", /JWT_SECRET is required/, async () => ({ JWT_SECRET: "" })],
    ["cheap password hashes", "error", /BCRYPT_COST below 10/, async () => ({ BCRYPT_COST: "5" })],
    [
      "the embedded database in production",
      "warning",
      /production uses the embedded database/,
      async () => ({ DATABASE_URL: "", REDIS_URL: "" }),
    ],
    [
      "a folder of uploaded files that is a file",
      "error",
      /The data folder .* cannot be used: it is not a folder/,
      async () => {
        await writeFile(join(folder, "data"), "");
        return {};
      },
    ],
    [
      "an address of another machine",
      "error",
      /cannot listen on 192\.0\.2\.1/,
      async () => ({ HOST: "192.0.2.1", PORT: String(await freePort()) }),
    ],
    [
      "registration that is open to everybody",
      "warning",
      /everybody who reaches the server can create an account/,
      async () => ({ REGISTRATION: "open" }),
    ],
    ["no PUBLIC_URL", "warning", /PUBLIC_URL is unset/, async () => ({ PUBLIC_URL: "" })],
    ["http for people", "warning", /PUBLIC_URL is not https/, async () => ({ PUBLIC_URL: "http://chat.example.org" })],
    [
      "an address that works on this machine only",
      "warning",
      /PUBLIC_URL names this machine only/,
      async () => ({ PUBLIC_URL: "https://localhost" }),
    ],
    [
      "a database server that does not run",
      "error",
      /cannot be used: .*ECONNREFUSED/,
      async () => ({ DATABASE_URL: `postgres://postgres@127.0.0.1:${await freePort()}/postgres` }),
    ],
    [
      "a database that is missing",
      "error",
      /database "missing" does not exist/,
      async () => ({ DATABASE_URL: cluster.url.replace(/postgres$/, "missing") }),
    ],
    [
      "a role that is missing",
      "error",
      /role "nobody" does not exist/,
      async () => ({ DATABASE_URL: cluster.url.replace("postgres@", "nobody@") }),
    ],
    [
      "a role without rights on the tables",
      "error",
      /may not read and write .*messages.*users/,
      async () => {
        const url = await createDatabase();
        await run(url, "CREATE ROLE weak LOGIN; GRANT CREATE ON SCHEMA public TO weak");
        return { DATABASE_URL: url.replace("postgres@", "weak@") };
      },
    ],
    [
      "a role that may not create tables",
      "error",
      /may not create tables in the schema public/,
      async () => {
        await run(cluster.url, "CREATE ROLE reader LOGIN");
        return { DATABASE_URL: (await createDatabase("")).replace("postgres@", "reader@") };
      },
    ],
    [
      "a database that is not UTF-8",
      "error",
      /The encoding of the database is LATIN1/,
      async () => ({
        DATABASE_URL: await createDatabase("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"),
      }),
    ],
    [
      "a read-only database",
      "error",
      /In .* the database is read-only/,
      async () => {
        const url = await createDatabase();
        await run(cluster.url, `ALTER DATABASE doctor${databases} SET default_transaction_read_only = on`);
        return { DATABASE_URL: url };
      },
    ],
    [
      "a newer schema",
      "error",
      /The schema is newer than this version, which lacks 29991231235959-later/,
      async () => {
        const url = await createDatabase();
        await run(url, `INSERT INTO "SequelizeMeta" VALUES ('29991231235959-later.cjs')`);
        return { DATABASE_URL: url };
      },
    ],
    [
      "migrations that have not run",
      "warning",
      /^1 migrations have not run: 20261129103700-authorise-before-locks\.cjs/,
      async () => {
        const url = await createDatabase();
        await run(url, `DELETE FROM "SequelizeMeta" WHERE name = '20261129103700-authorise-before-locks.cjs'`);
        return { DATABASE_URL: url };
      },
    ],
    [
      "more connections than PostgreSQL accepts",
      "warning",
      /PostgreSQL accepts \d+ connections, and one process opens up to 203/,
      async () => ({ DATABASE_POOL_SIZE: "200" }),
    ],
    [
      "a Redis that does not run",
      "error",
      /Redis 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/,
      async () => ({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` }),
    ],
    [
      "a wrong password of Redis",
      "error",
      /Redis .* cannot be used: WRONGPASS/,
      async () => ({ REDIS_URL: redis.url.replace("//", "//:falsch@") }),
    ],
  ])("finds %s", async (_what, level, what, prepare) => {
    const findings = await examine({ ...healthy(), ...(await prepare()) });
    expectOnly(findings, level, what);
    expect(JSON.stringify(findings)).not.toMatch(/geheim|falsch/);
  });

  test("counts chats with old messages that are not indexed", async () => {
    const url = await createDatabase();
    await run(
      url,
      `INSERT INTO users (email, email_key, password_hash, first_name, first_name_key)
       VALUES ('ann@example.test', 'ann@example.test', '-', 'Ann', 'ann');
       INSERT INTO chats (kind, name, last_seq, version) VALUES ('group', 'old', 1, 1), ('group', 'new', 1, 1);
       INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
       SELECT id, 1, 1, (SELECT id FROM users), 'Hi', now() - CASE name WHEN 'old' THEN interval '1 h' ELSE interval '1 s' END
         FROM chats`,
    );
    expect((await diagnose(url)).unsearchableChats).toBe(1);
    await run(url, "INSERT INTO chat_texts (chat_id, version) SELECT id, 1 FROM chats");
    expect((await diagnose(url)).unsearchableChats).toBe(0);
  });

  test.each([
    ["an old PostgreSQL", "error", /PostgreSQL 14\.1 is too old/, { version: "14.1", major: 14 }],
    ["commits that do not wait for the disk", "warning", /does not wait for its disk/, { isDurable: false }],
    ["a clock that is behind", "warning", /is 90 s behind/, { clockDifferenceMs: -90_000 }],
    [
      "a standby",
      "error",
      /the database is read-only: it is a standby/,
      {
        readOnlyReason: "the database is read-only: it is a standby",
      },
    ],
    [
      "a pooler of transactions without timeouts",
      "warning",
      /PgBouncer pools transactions/,
      {
        pooling: "transaction" as const,
        lacksTimeouts: true,
      },
    ],
    [
      "messages that no search finds",
      "warning",
      /Messages of 3 chats have not been indexed/,
      { unsearchableChats: 3, processes: { all: 1, withRedis: 1 } },
    ],
    [
      "a compatible newer schema",
      "warning",
      /newer than this version and compatible/,
      {
        migrations: { pending: [], compatible: ["later.cjs"], incompatible: [] },
      },
    ],
  ] as const)("finds %s", async (_what, level, what, facts) => {
    const found = await diagnose(cluster.url);
    const about = { database: "127.0.0.1:5432/messenger", poolSize: 10 };
    expect(describeDiagnosis(found, about)).toEqual([]);
    expectOnly(
      describeDiagnosis({ ...found, ...(structuredClone(facts) as Partial<typeof found>) }, about),
      level,
      what,
    );
  });
});

describe("the command", () => {
  function doctor(words: string[], settings: Environment): Promise<{ code: number | null; output: string }> {
    const env = { PATH: process.env.PATH ?? "", DATA_DIR: join(folder, "data"), PORT: "0", ...settings };
    const entry = join(root, "dist/cli/main.js");
    const child = spawn(process.execPath, [entry, "doctor", ...words], { cwd: folder, env });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
  }

  test("ends with 0 without an error, also with a warning", async () => {
    expect(await doctor([], {})).toEqual({ code: 0, output: "0 errors, 0 warnings.\n" });
    const { code, output } = await doctor([], { LOGLEVEL: "debug" });
    expect(code).toBe(0);
    expect(output).toMatch(
      /^warning: LOGLEVEL .*\n {2}why: .*\n {2}fix: Rename LOGLEVEL to LOG_LEVEL\.\n\n0 errors, 1 w/,
    );
  });

  test("ends with 1 with an error, here in .env, and prints JSON for programs", async () => {
    await writeFile(join(folder, ".env"), "PORT=0\nJWT_SECRET nonsense\n", { mode: 0o600 });
    const { code, output } = await doctor(["--json"], {});
    expect(code).toBe(1);
    expectOnly(JSON.parse(output).findings, "error", /^Line 2 of \.env is not a setting/);
  });

  test("finds a .env that cannot be read", async () => {
    await mkdir(join(folder, ".env"));
    const { code, output } = await doctor(["--json"], {});
    expect(code).toBe(1);
    expectOnly(JSON.parse(output).findings, "error", /^The file \.env cannot be read \(EISDIR\)/);
  });
});
