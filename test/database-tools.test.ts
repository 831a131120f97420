import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import pg from "pg";
import { readSettings } from "../src/config/read-settings.ts";
import { startEngine } from "../src/db/open.ts";
import { Messenger } from "../src/server.ts";
import { makeDatabase, onServer, type TestDatabase } from "./support/databases.ts";
import { Device } from "./support/device.ts";
import { onDatabase } from "./support/on-database.ts";
import { silentLog } from "./support/silent.ts";

/* The database commands, run like operators run them. */

const root = join(__dirname, "..");
const migrations = readdirSync(join(root, "migrations")).sort();

const rejection = "Demo data cannot be loaded in production (NODE_ENV=production): its password is public.";

interface Run {
  code: number | null;
  output: string;
}

/**
 * Runs a program in the project's folder. All of these variables are given, if only as empty: one that is missing
 * would be read from `.env`, which may name the developer's own database.
 */
function run(command: string, args: string[], settings: Record<string, string>): Promise<Run> {
  const { PATH, HOME } = process.env;
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH, HOME, NODE_ENV: "test", JWT_SECRET: "", DATABASE_URL: "", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

const tool = (args: string[], settings: Record<string, string>) =>
  run(process.execPath, ["--import", "tsx", "scripts/database.ts", ...args], settings);
const sequelizeCli = (args: string[], settings: Record<string, string>) =>
  run(process.execPath, ["node_modules/sequelize-cli/lib/sequelize", ...args], settings);

/** Lists inconsistencies in the chats of a database; there must be none. */
const faults = `
  SELECT c.id, 'seq or version is not 1, 2, 3 and so on up to the counters of the chat' AS fault
    FROM chats AS c LEFT JOIN messages AS m ON m.chat_id = c.id
   GROUP BY c.id
  HAVING array_agg(m.seq ORDER BY m.seq) IS DISTINCT FROM ARRAY(SELECT generate_series(1, c.last_seq))
      OR array_agg(m.version ORDER BY m.version) IS DISTINCT FROM ARRAY(SELECT generate_series(1, c.version))
   UNION ALL
  SELECT c.id, 'last_message_id is not the message at last_seq'
    FROM chats AS c
   WHERE NOT EXISTS (SELECT FROM messages AS m WHERE m.id = c.last_message_id AND m.chat_id = c.id AND m.seq = c.last_seq)
   UNION ALL
  SELECT m.chat_id, 'a later message has a smaller id or an earlier time'
    FROM messages AS m JOIN messages AS next ON next.chat_id = m.chat_id AND next.seq = m.seq + 1
   WHERE next.id < m.id OR next.created_at < m.created_at OR next.created_at > now()
   UNION ALL
  SELECT m.chat_id, 'the sender of a message is not in the chat'
    FROM messages AS m
   WHERE NOT EXISTS (SELECT FROM chat_members AS o WHERE o.chat_id = m.chat_id AND o.user_id = m.sender_id)
   UNION ALL
  SELECT o.chat_id, 'read_seq is before the own last message, or past the end'
    FROM chat_members AS o JOIN chats AS c ON c.id = o.chat_id
   WHERE o.read_seq > c.last_seq
      OR o.read_seq < (SELECT max(m.seq) FROM messages AS m WHERE m.chat_id = o.chat_id AND m.sender_id = o.user_id)
   UNION ALL
  SELECT c.id, 'a dialog does not have exactly its two people'
    FROM chats AS c
   WHERE c.kind = 'dialog'
     AND ARRAY[c.pair_low, c.pair_high] IS DISTINCT FROM
         ARRAY(SELECT o.user_id FROM chat_members AS o WHERE o.chat_id = c.id ORDER BY o.user_id)
   UNION ALL
  SELECT c.id, 'a group does not begin with its owner creating it'
    FROM chats AS c JOIN messages AS m ON m.chat_id = c.id AND m.seq = 1
    LEFT JOIN chat_members AS o ON o.chat_id = c.id AND o.role = 'owner'
   WHERE c.kind = 'group'
     AND (m.content, m.sender_id, m.event) IS DISTINCT FROM
         ('', o.user_id, jsonb_build_object('kind', 'groupCreated', 'byUserId', o.user_id, 'groupName', c.name))
   UNION ALL
  SELECT o.chat_id, 'a member of a group was not added exactly once by a message'
    FROM chat_members AS o JOIN chats AS c ON c.id = o.chat_id AND c.kind = 'group'
   WHERE o.role <> 'owner'
     AND 1 <> (SELECT count(*) FROM messages AS m
                WHERE m.chat_id = o.chat_id AND m.content = ''
                  AND m.event = jsonb_build_object('kind', 'memberAdded', 'byUserId', m.sender_id, 'userId', o.user_id))
   ORDER BY 1, 2`;

describe("a database that is undone, migrated and seeded again", () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await makeDatabase();
  });
  afterAll(() => database?.remove());

  /** Opens the database while `work` runs; nothing else can open the embedded database meanwhile. */
  async function withDatabase<T>(work: (client: pg.Client, url: string) => Promise<T>): Promise<T> {
    const { DATABASE_URL: databaseUrl, DATA_DIR: dataDir } = database.settings;
    const engine = await startEngine({ databaseUrl, dataDir });
    const client = new pg.Client({ connectionString: engine.url });
    try {
      await client.connect();
      return await work(client, engine.url);
    } finally {
      await client.end();
      await engine.stop();
    }
  }

  /** All rows of these tables, as text. */
  async function contents(client: pg.Client, tables: string[]): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const table of tables) {
      const { rows } = await client.query(`SELECT t::text AS row FROM ${table} AS t ORDER BY 1`);
      found[table] = rows.map(({ row }) => row);
    }
    return found;
  }

  test("sequelize-cli undoes the migrations of the messenger, and the messenger accepts those of sequelize-cli", async () => {
    await withDatabase(async (client, url) => {
      const migrated = async () => {
        const { rows } = await client.query('SELECT name FROM "SequelizeMeta" ORDER BY name');
        return rows.map(({ name }) => name);
      };
      expect(await migrated()).toEqual(migrations);
      expect(await sequelizeCli(["db:migrate:undo:all"], { DATABASE_URL: url })).toMatchObject({ code: 0 });
      expect(await migrated()).toEqual([]);
      const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
      expect(rows).toEqual([{ tablename: "SequelizeMeta" }]);

      expect(await sequelizeCli(["db:migrate"], { DATABASE_URL: url })).toMatchObject({ code: 0 });
      expect(await migrated()).toEqual(migrations);
    });
    expect(await run("npm", ["run", "--silent", "migrate:start"], database.settings)).toEqual({
      code: 0,
      output: "The database is up to date.\n",
    });
  }, 120_000);

  test("the demo data is consistent, and seeding again changes nothing", async () => {
    expect(await tool(["db:seed:all"], database.settings)).toMatchObject({ code: 0 });
    await withDatabase(async (client, url) => {
      expect((await client.query(faults)).rows).toEqual([]);
      const tables = ["users", "chats", "chat_members", "messages"];
      const before = await contents(client, tables);
      expect(before.users).toHaveLength(10);
      expect(before.messages?.length).toBeGreaterThan(50);

      expect(await sequelizeCli(["db:seed:all"], { DATABASE_URL: url })).toMatchObject({ code: 0 });
      expect(await contents(client, tables)).toEqual(before);
    });
  });

  test("Patrick0 logs in and finds his chats; migrating fails while the messenger runs", async () => {
    const config = readSettings({ NODE_ENV: "test", PORT: "0", BCRYPT_COST: "4", ...database.settings });
    const messenger = new Messenger(config, silentLog);
    try {
      const port = await messenger.start();
      const answer = await fetch(`http://127.0.0.1:${port}/auth/login`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: "patrick0@example.org", password: "messenger demo" }),
      });
      const { user, token } = (await answer.json()) as { user: { id: number; lastName: string }; token: string };
      expect(user).toMatchObject({ firstName: "Patrick0", lastName: "Star" });

      const device = await Device.connect(`ws://127.0.0.1:${port}`, { headers: { authorization: `Bearer ${token}` } });
      const { params } = await device.request("listLastMessage", { limit: 10, page: 1 });
      expect(params.data).toMatchObject([
        { senderName: "Patrick1", receiverName: "Patrick0", groupName: null, unread: 2 },
        { senderName: "Patrick4", receiverName: null, groupName: "Sea lovers", unread: 3 },
        { senderName: "Patrick2", receiverName: "Patrick0", groupName: null, unread: 1 },
        { senderName: "Patrick5", receiverName: "Patrick0", groupName: null, unread: 1 },
        { senderName: "Patrick4", receiverName: null, groupName: "Chess", unread: 9 },
      ]);
      await device.close();

      if (onServer) return;
      expect(await tool(["db:migrate"], database.settings)).toEqual({
        code: 1,
        output: expect.stringMatching(/^The data folder .* is in use by another messenger \(process \d+\)\..*\n$/),
      });
    } finally {
      await messenger.stop();
    }
  });
});

describe("resetting in production", () => {
  test("is rejected unless it is confirmed", async () => {
    const database = await makeDatabase();
    const production = {
      ...database.settings,
      NODE_ENV: "production",
      JWT_SECRET: "for tests only, and long enough for them",
    };
    try {
      expect(await run("npm", ["run", "--silent", "db:reset"], production)).toEqual({
        code: 1,
        output:
          "db:reset deletes data in production (NODE_ENV=production). To confirm, add: -- --yes-delete-everything\n",
      });
      const confirmed = ["run", "--silent", "db:reset", "--", "--yes-delete-everything"];
      expect(await run("npm", confirmed, production)).toMatchObject({ code: 0 });
    } finally {
      await database.remove();
    }
  }, 120_000);
});

describe("deleting data", () => {
  const destructive = [
    "db:reset",
    "db:migrate:undo",
    "db:migrate:undo:all",
    "db:seed:undo",
    "db:seed:undo:all",
    "db:drop",
  ];
  const remote = { DATABASE_URL: "postgres://postgres@db.example.test:5432/messenger" };
  const reason = "on another machine (db.example.test, database messenger)";

  test.each(destructive)("with %s on another machine has to be confirmed", async (command) => {
    expect(await tool([command], remote)).toEqual({
      code: 1,
      output: `${command} deletes data ${reason}. To confirm, add: -- --yes-delete-everything\n`,
    });
  });

  test.each([
    ["db:migrate:undo:all", remote, reason],
    ["db:drop", remote, reason],
    [
      "db:migrate:undo",
      { DATABASE_URL: "postgres://127.0.0.1:1/x", NODE_ENV: "production" },
      "in production (NODE_ENV=production)",
    ],
  ])("with %s of sequelize-cli itself has to be confirmed, too", async (command, settings, why) => {
    const { code, output } = await sequelizeCli([command], settings);
    expect(code).toBe(1);
    expect(output).toContain(
      `${command} deletes data ${why}. To confirm, run: npx tsx scripts/database.ts ${command} --yes-delete-everything\n`,
    );
  });

  test("with sequelize-cli in a database named by an option has to be confirmed", async () => {
    const { code, output } = await sequelizeCli(["db:drop", "--url", remote.DATABASE_URL], { DATABASE_URL: "" });
    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringContaining("db:drop deletes data in a database other than DATABASE_URL. To confirm, run:"),
    });
  });

  (onServer ? test : test.skip)("in a database that a server is using has to be confirmed", async () => {
    const database = await makeDatabase();
    const config = readSettings({ NODE_ENV: "test", PORT: "0", BCRYPT_COST: "4", ...database.settings });
    const messenger = new Messenger(config, silentLog);
    const { DATABASE_URL = "" } = database.settings;
    try {
      await messenger.start();
      const name = new URL(DATABASE_URL).pathname.slice(1);
      const why = `db:migrate:undo:all deletes data in a database that a server is using (${name}). To confirm,`;
      await onDatabase(DATABASE_URL, async (client) => {
        while ((await client.query("SELECT FROM server_processes")).rowCount === 0);
      });
      for (const run of [tool, sequelizeCli]) {
        const { code, output } = await run(["db:migrate:undo:all"], database.settings);
        expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining(why) });
      }
    } finally {
      await messenger.stop();
      await database.remove();
    }
  });
});

describe("a command for a database that does not exist", () => {
  const resetPassword = ["scripts/start.mjs", "cli/reset-password", "ann@example.test"];
  const database = ["--import", "tsx", "scripts/database.ts"];

  test.each([
    ["user:reset-password", resetPassword],
    ["db:reset", [...database, "db:reset"]],
    ["db:undo", [...database, "db:migrate:undo"]],
    ["db:migrate:status", [...database, "db:migrate:status"]],
  ])("%s fails with one line and creates nothing", async (_name, args) => {
    const folder = join(await mkdtemp(join(tmpdir(), "messenger-test-")), "typo");
    expect(await run(process.execPath, args, { DATA_DIR: folder })).toEqual({
      code: 1,
      output: `There is no database in the data folder ${folder}. Check DATA_DIR.\n`,
    });
    expect(existsSync(folder)).toBe(false);
  });
});

describe("demo data in production", () => {
  test("is rejected before the settings are checked", async () => {
    const settings = { NODE_ENV: "production", DATA_DIR: "/nowhere" };
    expect(await tool(["db:seed:all"], settings)).toEqual({ code: 1, output: `${rejection}\n` });
  });

  test("is rejected by the seeders themselves", () => {
    const mode = jest.replaceProperty(process.env, "NODE_ENV", "production");
    try {
      const require = createRequire(__filename);
      for (const name of readdirSync(join(root, "seeders"))) {
        expect(() => require(join(root, "seeders", name)).up()).toThrow(rejection);
      }
    } finally {
      mode.restore();
    }
  });
});
