import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import pg from "pg";
import { readSettings } from "../src/config/read-settings.ts";
import { connect } from "../src/db/connect.ts";
import { migrate } from "../src/db/migrate.ts";
import { select } from "../src/db/select.ts";
import { Cluster, freePort } from "./support/cluster.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { silentLog } from "./support/silent.ts";

describeWithCluster("a PostgreSQL server of its own", () => {
  let cluster: Cluster;
  const running: ServerProcess[] = [];

  beforeAll(async () => {
    cluster = await Cluster.create();
  });

  afterAll(async () => {
    await Promise.all(running.map((server) => server.stop("SIGKILL")));
    await cluster?.remove();
  });

  function spawn(settings: Record<string, string> = {}): ServerProcess {
    const server = ServerProcess.spawn({
      DATABASE_URL: cluster.url,
      JWT_SECRET: "for tests only, and long enough for them",
      ...settings,
    });
    running.push(server);
    return server;
  }

  const ready = async (port: number) => (await fetch(`http://127.0.0.1:${port}/health/ready`)).status;

  test("a start without a database server fails with one line after the timeout", async () => {
    const { code, output } = await spawn({ DATABASE_START_TIMEOUT_SECONDS: "1", LOG_LEVEL: "fatal" }).exited;
    expect(code).toBe(1);
    expect(output.trim()).toMatch(/^The database is still unavailable after 1 s: .+ Check DATABASE_URL\.$/);
    expect(output).not.toContain("    at ");
  });

  test("a start waits for a database server that comes up late, and is not ready until then", async () => {
    const port = await freePort();
    const server = spawn({ PORT: String(port) });
    await server.waitForOutput(/database is unavailable/);
    expect(await ready(port)).toBe(503);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    const { status, headers } = await fetch(`http://127.0.0.1:${port}/users/me`);
    expect({ status, sniff: headers.get("x-content-type-options") }).toEqual({ status: 503, sniff: "nosniff" });
    const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: "text/html,*/*;q=0.8" } });
    expect({ status: page.status, type: page.headers.get("content-type") }).toEqual({
      status: 503,
      type: "text/html; charset=utf-8",
    });
    expect(await page.text()).toContain('<meta http-equiv="refresh"');
    await cluster.start();
    await server.waitForOutput(/WebSocket: /);
    expect(await ready(port)).toBe(200);
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 0 });
  });

  test("SIGTERM while the start waits for the database stops the process", async () => {
    await cluster.stop();
    const server = spawn();
    await server.waitForOutput(/database is unavailable/);
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 0 });
    await cluster.start();
  });

  test("connections have the configured timeouts for statements, locks and idle transactions", async () => {
    const { timeouts } = readSettings({
      DATABASE_URL: cluster.url,
      DATABASE_STATEMENT_TIMEOUT_SECONDS: "11",
      DATABASE_LOCK_TIMEOUT_SECONDS: "12",
    }).database;
    const { database } = connect({ url: cluster.url, embedded: false, poolSize: 1, timeouts, log: silentLog });
    const names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
    const settings = names.map((name) =>
      select<{ it: string }>(database, "SELECT current_setting($name) AS it", { name }),
    );
    expect((await Promise.all(settings)).map(([row]) => row?.it)).toEqual(["11s", "12s", "10s"]);
    await database.close();
  });

  /** Creates a database and returns its URL. */
  async function createDatabase(name: string, options = ""): Promise<string> {
    const client = new pg.Client({ connectionString: cluster.url });
    await client.connect();
    await client.query(`CREATE DATABASE ${name} ${options}`);
    await client.end();
    return cluster.url.replace(/postgres$/, name);
  }

  test("a database that is not UTF-8 is rejected with its encoding", async () => {
    const url = await createDatabase("latin", "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    await expect(migrate(url, silentLog)).rejects.toThrow("its encoding is LATIN1");
  });

  test("every connection sets the formats and the isolation level it relies on", async () => {
    const url = await createDatabase("foreign_defaults");
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const setting of ["datestyle = 'German, DMY'", "bytea_output = 'escape'", "timezone = 'Pacific/Chatham'"]) {
      await client.query(`ALTER DATABASE foreign_defaults SET ${setting}`);
    }
    await client.query("ALTER DATABASE foreign_defaults SET default_transaction_isolation = 'serializable'");
    await client.end();
    const { timeouts } = readSettings({ DATABASE_URL: url }).database;
    const { database } = connect({ url, embedded: false, poolSize: 1, timeouts, log: silentLog });
    const names = ["datestyle", "bytea_output", "timezone", "transaction_isolation"];
    const settings = names.map((name) =>
      select<{ it: string }>(database, "SELECT current_setting($name) AS it", { name }),
    );
    const values = (await Promise.all(settings)).map(([row]) => row?.it);
    expect(values).toEqual(["ISO, YMD", "hex", expect.stringMatching(/^(UTC|Etc\/UTC|<\+00>)/), "read committed"]);
    await database.close();
  });

  describe("a start that only an administrator can help", () => {
    const sql = (text: string) => onDatabase(cluster.url, (client) => client.query(text));

    /** Expects that a start fails with this one line. If it had waited for the database, there would be another line. */
    async function expectRejected(url: string, line: RegExp): Promise<void> {
      const { code, output } = await spawn({ DATABASE_URL: url }).exited;
      expect(output.trim()).toMatch(line);
      expect({ code, lines: output.trim().split("\n").length }).toEqual({ code: 1, lines: 1 });
    }

    const urlOf = (user: string, database = "postgres") => `postgres://${user}@127.0.0.1:${cluster.port}/${database}`;

    test("because the database is missing", async () => {
      await expectRejected(
        urlOf("postgres", "missing"),
        /^The database cannot be used: database "missing" does not exist\. Create the database, or check/,
      );
    });

    test("because the role is missing, or may not log in", async () => {
      await expectRejected(
        urlOf("nobody"),
        /^The database cannot be used: role "nobody" does not exist\. Check the user/,
      );
      await sql("CREATE ROLE observer NOLOGIN");
      await expectRejected(urlOf("observer"), /role "observer" is not permitted to log in\. Check the user/);
    });

    test("because the password is wrong", async () => {
      await sql("CREATE ROLE careful LOGIN PASSWORD 'correct'");
      const { rows } = await sql("SHOW hba_file");
      const path = String(rows[0].hba_file);
      await writeFile(path, `host all careful 127.0.0.1/32 scram-sha-256\n${await readFile(path, "utf8")}`);
      await sql("SELECT pg_reload_conf()");
      const line = /^The database cannot be used: password authentication failed for user "careful"\. Check the user/;
      await expectRejected(urlOf("careful:wrong"), line);
      await expectRejected(urlOf("careful"), /Check the password in DATABASE_URL\.$/);
    });

    test("because the role may not create tables", async () => {
      await sql("CREATE ROLE reader LOGIN");
      await expectRejected(
        urlOf("reader"),
        /^The database cannot be used: permission denied for schema public\. Give the role .* the rights it lacks/,
      );
    });

    test("because the tables belong to another role", async () => {
      const url = await createDatabase("others_tables");
      await migrate(url, silentLog);
      const grant = "CREATE ROLE stranger LOGIN; GRANT CREATE ON SCHEMA public TO stranger";
      await onDatabase(url, (client) => client.query(grant));
      await expectRejected(
        url.replace("postgres@", "stranger@"),
        /^The database cannot be used: permission denied for table SequelizeMeta\. Give the role .* the rights it lacks/,
      );
    });

    test("because the server has no TLS", async () => {
      await expectRejected(`${cluster.url}?sslmode=verify-full`, /does not support SSL connections\. Check sslmode/);
    });

    test("because nobody knows the host", async () => {
      const { code, output } = await spawn({
        DATABASE_URL: "postgres://postgres@nowhere.invalid/postgres",
        DATABASE_START_TIMEOUT_SECONDS: "1",
        LOG_LEVEL: "fatal",
      }).exited;
      expect(code).toBe(1);
      expect(output.trim()).toMatch(/^The database .*nowhere\.invalid.*Check/);
    });
  });

  test("a start in a role that has only what a messenger needs succeeds", async () => {
    const url = await createDatabase("owned");
    await onDatabase(cluster.url, (client) =>
      client.query("CREATE ROLE owner LOGIN; ALTER DATABASE owned OWNER TO owner"),
    );
    const server = spawn({ DATABASE_URL: url.replace("postgres@", "owner@") });
    await server.waitForOutput(/WebSocket: /);
    expect(server.output).toMatch(
      /messenger [\d.]+: database server 127\.0\.0\.1:\d+\/owned \(PostgreSQL \d+(\.\d+)?\), bus none .*, trusted proxy hops 0, registration open/,
    );
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 0 });
  });

  test.each([
    ["by a session", true],
    ["by a transaction, as behind a pooler", false],
  ])(
    "of several processes that start at once on an empty database, one migrates and the others wait for its lock, held %s",
    async (_how, keepsSession) => {
      const url = await createDatabase(`fresh_${keepsSession}`);
      const ran = await Promise.all([1, 2, 3, 4].map(() => migrate(url, silentLog, { keepsSession })));
      const [migrations = [], ...none] = ran.sort((a, b) => b.length - a.length);
      expect(migrations.length).toBeGreaterThan(0);
      expect(none).toEqual([[], [], []]);
    },
  );
});
