import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import { Sequelize } from "sequelize";
import { migrate } from "../src/db/migrate.ts";
import { Cluster } from "./support/cluster.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { silentLog } from "./support/silent.ts";

/* Migrations run beside running servers, whose statements wait two seconds for a lock at most. */

const folder = join(__dirname, "../migrations");
const names = readdirSync(folder).sort();
const require = createRequire(import.meta.url);

/** Rows of the first schema. Later migrations find them. */
const fill = `
  INSERT INTO users (email, email_key, password_hash, first_name)
  SELECT n || '@fill.test', n || '@fill.test', 'x', 'Person' || n FROM generate_series(1, 2000) AS n;
  INSERT INTO sessions (user_id, refresh_hash) SELECT id, '\\x' FROM users;
  INSERT INTO chats (kind, name) SELECT 'group', 'Group ' || n FROM generate_series(1, 50) AS n;
  INSERT INTO chat_members (chat_id, user_id, role)
  SELECT c.id, u.id, CASE WHEN u.id % 40 = 0 THEN 'owner' ELSE 'member' END
    FROM chats AS c JOIN users AS u ON u.id % 50 = c.id % 50;
  INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at, edited_at)
  SELECT c.id, n, n, m.user_id, 'text ' || n, now(), CASE WHEN n % 10 = 0 THEN now() END
    FROM chats AS c
    CROSS JOIN generate_series(1, 1000) AS n
    CROSS JOIN LATERAL (SELECT user_id FROM chat_members WHERE chat_id = c.id ORDER BY user_id LIMIT 1) AS m;
  UPDATE chats SET last_seq = 1000, version = 1000;
  UPDATE chats AS c SET last_message_id = m.id FROM messages AS m WHERE m.chat_id = c.id AND m.seq = c.last_seq;`;

/** Writes a row of every table, again and again, and waits a second at most for the locks of each. */
class Writer {
  private readonly client: pg.Client;
  private isStopped = false;
  private loop: Promise<void> | undefined;
  /** Tables that could not be written in time. */
  readonly blocked: string[] = [];

  constructor(url: string) {
    this.client = new pg.Client({ connectionString: url });
  }

  async start(): Promise<void> {
    await this.client.connect();
    await this.client.query("SET lock_timeout = 1300");
    this.loop = this.write();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.loop;
    await this.client.end();
  }

  private async write(): Promise<void> {
    while (!this.isStopped) {
      const { rows } = await this.client.query<{ name: string; column: string }>(
        `SELECT c.relname AS name, a.attname AS column
           FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
          WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1`,
      );
      for (const { name, column } of rows) await this.touch(name, column);
    }
  }

  private async touch(table: string, column: string): Promise<void> {
    const text = `UPDATE "${table}" SET "${column}" = "${column}" WHERE ctid = (SELECT ctid FROM "${table}" LIMIT 1)`;
    await this.client.query(text).catch((error) => {
      if (error.code !== "55P03") throw error;
      this.blocked.push(table);
    });
  }
}

describeWithCluster("migrations", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
  });
  afterAll(() => cluster?.remove());

  async function createDatabase(name: string): Promise<string> {
    await onDatabase(cluster.url, (client) => client.query(`CREATE DATABASE ${name}`));
    return cluster.url.replace(/postgres$/, name);
  }

  /** Creates a database with the first tables, full of rows. @returns its URL */
  async function filledDatabase(name: string): Promise<string> {
    const url = await createDatabase(name);
    const database = new Sequelize(url, { logging: false });
    const [first = "", second = ""] = names;
    await database.query('CREATE TABLE "SequelizeMeta" (name VARCHAR(255) NOT NULL PRIMARY KEY)');
    for (const migration of [first, second]) {
      await require(join(folder, migration)).up(database.getQueryInterface());
      await database.query('INSERT INTO "SequelizeMeta" VALUES ($name)', { bind: { name: migration } });
    }
    await database.query(fill);
    await database.close();
    return url;
  }

  /** @returns the tables that could not be written while `work` ran */
  async function blockedDuring(url: string, work: () => Promise<unknown>): Promise<string[]> {
    const writer = new Writer(url);
    await writer.start();
    try {
      await work();
    } finally {
      await writer.stop();
    }
    return writer.blocked;
  }

  test("keep no writer of any table waiting, on filled tables", async () => {
    const url = await filledDatabase("filled");
    expect(await blockedDuring(url, () => migrate(url, silentLog))).toEqual([]);
    await onDatabase(url, async (client) => {
      const { rows } = await client.query('SELECT name FROM "SequelizeMeta" ORDER BY name');
      expect(rows.map(({ name }) => name)).toEqual(names);
      const { rows: counts } = await client.query("SELECT count(*)::int AS messages FROM messages");
      expect(counts).toEqual([{ messages: 50_000 }]);
    });
  });

  test("that wait for a long transaction let writers pass, and continue after it", async () => {
    const url = await filledDatabase("long_transaction");
    const reader = new pg.Client({ connectionString: url });
    await reader.connect();
    await reader.query("BEGIN; SELECT FROM messages LIMIT 1");
    let isDone = false;
    const blocked = await blockedDuring(url, async () => {
      const migrated = migrate(url, silentLog).then(() => {
        isDone = true;
      });
      await untilLockTimeouts(url, 2);
      expect(isDone).toBe(false);
      await reader.query("COMMIT");
      await migrated;
    });
    await reader.end();
    expect(blocked).toEqual([]);
  });

  /** Waits until a migration has waited for a lock and been cancelled as often as this. */
  async function untilLockTimeouts(url: string, count: number): Promise<void> {
    const deadline = performance.now() + 15_000;
    await onDatabase(url, async (client) => {
      for (let seen = 0, wasWaiting = false; seen < count; ) {
        if (performance.now() > deadline) throw new Error("the migration does not stop waiting for its lock");
        const { rows } = await client.query<{ waits: boolean }>(
          `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock') AS waits`,
        );
        const isWaiting = rows[0]?.waits === true;
        if (wasWaiting && !isWaiting) seen++;
        wasWaiting = isWaiting;
      }
    });
  }

  test("that lock a table for longer are found by this test", async () => {
    const url = await filledDatabase("locked");
    const blocked = await blockedDuring(url, () =>
      onDatabase(url, (client) => client.query("BEGIN; LOCK TABLE messages; SELECT pg_sleep(1.6); COMMIT")),
    );
    expect(blocked).toContain("messages");
  });
});
