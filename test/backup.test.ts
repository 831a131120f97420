import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { insertRows, readRowsAfter } from "../src/db/queries/backup/rows.ts";
import { readTables } from "../src/db/queries/backup/tables.ts";
import { idGap } from "../src/db/queries/epoch.ts";
import { readSnapshot } from "../src/db/snapshot.ts";
import { archiveFolder, changeByte, fill, OpenDatabase, rewrite, rowsOf, testSecret } from "./support/archives.ts";

/* Archives of a small database, which no server uses, and their restore into others. */

let source: OpenDatabase;
/** Made empty before each test. */
let target: OpenDatabase;
let folder: Awaited<ReturnType<typeof archiveFolder>>;
let archive: string;

beforeAll(async () => {
  [source, target, folder] = await Promise.all([OpenDatabase.open(), OpenDatabase.open(), archiveFolder()]);
  archive = join(folder.path, "one.zip");
  await source.run((database) => fill(database));
  await source.backUp(archive);
});

afterAll(async () => {
  await Promise.all([source?.close(), target?.close(), folder?.remove()]);
});

const readState = async (database: OpenDatabase) => {
  const [row] = await database.sql<{ epoch: string; nextMessage: number; nextUser: number; messages: number }>(
    `SELECT server_epoch() AS epoch, nextval('messages_id_seq') AS "nextMessage", nextval('users_id_seq') AS "nextUser",
            (SELECT count(*) FROM messages) AS messages`,
  );
  return row;
};

describe("a backup", () => {
  beforeEach(() => target.empty());

  test("is readable by its owner only, and leaves nothing else behind", async () => {
    expect((await stat(archive)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder.path)).filter((name) => name.includes("one.zip"))).toEqual(["one.zip"]);
  });

  test("restored into an empty database has every row as it was, a new epoch, and ids that were never used", async () => {
    const before = await readState(source);
    const summary = await target.restore(archive);
    expect(summary).toMatchObject({
      violations: [],
      unknown: [],
      secret: testSecret,
      sessions: { active: 2, ended: 0 },
    });
    expect(summary.tables).toContainEqual({ table: "messages", rows: 30 });
    const again = join(folder.path, "again.zip");
    await target.backUp(again);
    expect(await rowsOf(again)).toEqual(await rowsOf(archive));
    const after = await readState(target);
    expect(after?.epoch).not.toBe(before?.epoch);
    expect(after?.nextMessage).toBeGreaterThan(idGap);
    expect(after?.nextUser).toBeGreaterThan(idGap);
  });

  test("that fails leaves the earlier archive of that name and no part of a new one", async () => {
    const path = join(folder.path, "kept.zip");
    await writeFile(path, "earlier");
    await target.sql("CREATE TABLE without_key (id bigint)");
    const failed = expect(target.backUp(path)).rejects.toThrow(
      "Tables without a primary key cannot be backed up: without_key",
    );
    await failed.finally(() => target.sql("DROP TABLE without_key"));
    expect(await readFile(path, "utf8")).toBe("earlier");
    expect((await readdir(folder.path)).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("all tables of the schema have a primary key, so that none is left out", async () => {
    const tables = await source.run((database) => readTables(database));
    expect(tables.length).toBeGreaterThanOrEqual(8);
    expect(tables.filter(({ primaryKey }) => primaryKey.length === 0)).toEqual([]);
  });

  test("has the rows of tables of any shape without loss", async () => {
    await target.sql(`
        CREATE TYPE mood AS ENUM ('calm', 'it''s "odd"');
        CREATE TABLE "Odd things" (
          "the id" bigint GENERATED ALWAYS AS IDENTITY, part uuid, "select" text[], price numeric, at timestamptz, span interval,
          raw bytea, doc json, binary_doc jsonb, mood mood, ratio double precision, flag boolean, address inet,
          twice bigint GENERATED ALWAYS AS ("the id" * 2) STORED,
          PRIMARY KEY (part, "the id"));
        INSERT INTO "Odd things" (part, "select", price, at, span, raw, doc, binary_doc, mood, ratio, flag, address)
        SELECT gen_random_uuid(), ARRAY['a,b', NULL, '"'], 12345678901234567890.0001, 'infinity', '1 mon -2 days 03:04:05.678901',
               '\\x00ff', E'{"a":\\n 1}', 'null', 'it''s "odd"', 'NaN', n % 2 = 0, '10.0.0.1/8'
          FROM generate_series(1, 5) AS n`);
    try {
      const table = (await target.run(readTables)).find(({ name }) => name === "Odd things");
      if (!table) throw new Error("the table was not found");
      const read = () =>
        readSnapshot(target.url, async (snapshot) => {
          const rows = [];
          for (let after: string[] | undefined; ; after = rows.at(-1)?.key) {
            const page = await readRowsAfter(snapshot.database, table, { after, limit: 2 }, snapshot.transaction);
            rows.push(...page);
            if (page.length < 2) return rows;
          }
        });
      const before = await read();
      expect(before).toHaveLength(5);
      await target.sql('TRUNCATE "Odd things"');
      await target.run((database) =>
        insertRows(
          database,
          table,
          before.map(({ line }) => line),
        ),
      );
      expect(await read()).toEqual(before);
    } finally {
      await target.sql('DROP TABLE "Odd things"; DROP TYPE mood');
    }
  });
});

describe("an archive that cannot be used is refused with one line, and changes nothing", () => {
  const refused = async (path: string): Promise<string> => {
    const error = await target.restore(path).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.name).toBe("AppError");
    expect(error?.message).not.toContain("\n");
    return error?.message ?? "";
  };
  const path = () => join(folder.path, "bad.zip");

  test("whichever of its bytes has changed", async () => {
    const { size } = await stat(archive);
    const positions = [4, 5, 10, 40, size - 1, size - 60, size - 100, size - 200];
    for (let step = 1; step < 12; step++) positions.push(Math.floor((size * step) / 12));
    for (const position of positions) {
      await changeByte(archive, path(), position);
      expect([position, await refused(path())]).toEqual([position, expect.stringMatching(/is damaged|is incomplete/)]);
    }
  });

  test.each([1, 64, 65, 200, 2000])("without its last %d bytes", async (missing) => {
    await writeFile(path(), await readFile(archive));
    await truncate(path(), Math.max(0, (await stat(archive)).size - missing));
    expect(await refused(path())).toMatch(/is incomplete, or not a backup/);
  });

  test("that is something else, empty, a folder or missing", async () => {
    await writeFile(path(), "something else");
    expect(await refused(path())).toMatch(/is not a backup of the messenger/);
    await writeFile(path(), "");
    expect(await refused(path())).toMatch(/is not a backup of the messenger/);
    expect(await refused(folder.path)).toMatch(/is not a file/);
    expect(await refused(join(folder.path, "nowhere"))).toMatch(/does not exist/);
  });

  test("of a newer version, a newer format or another program", async () => {
    await rewrite(archive, path(), {
      manifest: (manifest) => ({
        ...manifest,
        messenger: "9.9.9",
        migrations: [...manifest.migrations, "29991231235959-later.cjs"],
      }),
    });
    expect(await refused(path())).toMatch(
      /was written by a newer version: this one lacks 29991231235959-later\.cjs\. Install the messenger 9\.9\.9/,
    );
    await rewrite(archive, path(), { manifest: (manifest) => ({ ...manifest, messenger: "9.9.9", formatVersion: 2 }) });
    expect(await refused(path())).toMatch(/has format 2, and this version reads formats up to 1/);
    await rewrite(archive, path(), { manifest: (manifest) => ({ ...manifest, format: "other" }) });
    expect(await refused(path())).toMatch(/is not a backup of the messenger/);
  });

  test("with fewer rows than its manifest says", async () => {
    await rewrite(archive, path(), {
      manifest: (manifest) => ({
        ...manifest,
        tables: manifest.tables.map((part) => (part.table === "users" ? { ...part, rows: part.rows + 1 } : part)),
      }),
    });
    expect(await refused(path())).toMatch(/is damaged/);
  });
});

describe("a restore", () => {
  beforeEach(() => target.empty());

  test("into a database with users is refused, and changes nothing", async () => {
    const before = await readState(source);
    await expect(source.restore(archive)).rejects.toThrow(/has users\. A backup is restored into an empty database/);
    const after = await readState(source);
    expect(after).toMatchObject({ epoch: before?.epoch, messages: 30 });
  });

  test("into a database that a server uses is refused", async () => {
    await target.sql("INSERT INTO server_processes (id, has_redis) VALUES (gen_random_uuid(), false)");
    await expect(target.restore(archive)).rejects.toThrow(/A messenger is using the database/);
  });

  test("ends all sessions if it is to", async () => {
    expect((await target.restore(archive, { endsSessions: true })).sessions).toEqual({ active: 0, ended: 2 });
    expect(await target.sql("SELECT id FROM sessions WHERE revoked_at IS NULL")).toEqual([]);
  });

  test("leaves out rows of unknown tables, and says so", async () => {
    const path = join(folder.path, "foreign.zip");
    await target.sql("CREATE TABLE notes (id int PRIMARY KEY); INSERT INTO notes VALUES (1)");
    await target.backUp(path);
    await target.sql("DROP TABLE notes");
    expect(await target.restore(path)).toMatchObject({ unknown: ["notes"], violations: [] });
  });

  test("that failed midway can be repeated, and is complete then", async () => {
    const path = join(folder.path, "failing.zip");
    await rewrite(archive, path, {
      line: (table, line) => (table === "sessions" ? line.replace(/"user_id" : "\d+"/, '"user_id" : "999"') : line),
    });
    await expect(target.restore(path)).rejects.toThrow();
    await expect(target.backUp(join(folder.path, "half.zip"))).rejects.toThrow(
      /cannot be backed up: a restore into it was not finished/,
    );
    expect(await target.restore(archive)).toMatchObject({ violations: [] });
    const again = join(folder.path, "again.zip");
    await target.backUp(again);
    expect(await rowsOf(again)).toEqual(await rowsOf(archive));
    const keys = await target.sql("SELECT conname FROM pg_constraint WHERE contype = 'f'");
    expect(keys.length).toBeGreaterThanOrEqual(7);
  });
});
