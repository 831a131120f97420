import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive } from "../../src/backup/archive-reader.ts";
import { ArchiveWriter } from "../../src/backup/archive-writer.ts";
import { type Manifest, manifestName, secretName, type TablePart } from "../../src/backup/manifest.ts";
import { type RestoreSummary, restoreInto } from "../../src/backup/restore-backup.ts";
import { writeBackup } from "../../src/backup/write-backup.ts";
import { connectForMigrations, type Database } from "../../src/db/connect.ts";
import { runPending, undoMigrations } from "../../src/db/migrate.ts";
import { startEngine } from "../../src/db/open.ts";
import { select } from "../../src/db/select.ts";
import { DiskStorage } from "../../src/files/disk-storage.ts";
import { IncomingFiles } from "../../src/files/incoming-file.ts";
import { makeDatabase, type TestDatabase } from "./databases.ts";
import { silentLog } from "./silent.ts";

export const testSecret = "a generated secret of the tests, which is long enough";

/** A temporary folder for archives, and its removal. */
export async function archiveFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "messenger-archives-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A database that no server uses. It stays open, because an embedded one takes seconds to start. */
export class OpenDatabase {
  private constructor(
    private readonly database: TestDatabase,
    private readonly engine: Awaited<ReturnType<typeof startEngine>>,
  ) {}

  /** @param database an empty one by default */
  static async open(given?: TestDatabase): Promise<OpenDatabase> {
    const database = given ?? (await makeDatabase());
    const { DATABASE_URL: databaseUrl, DATA_DIR: dataDir } = database.settings;
    return new OpenDatabase(database, await startEngine({ databaseUrl, dataDir }));
  }

  /** Of an embedded database. */
  get copyData(): (folder: string) => Promise<void> {
    const { copyData } = this.engine;
    if (!copyData) throw new Error("a server's files cannot be copied");
    return copyData;
  }

  get url(): string {
    return this.engine.url;
  }

  /** Stops it, so that others can open it. */
  async stop(): Promise<void> {
    await this.engine.stop();
  }

  /** Stops and removes it. */
  async close(): Promise<void> {
    await this.engine.stop();
    await this.database.remove();
  }

  async run<T>(work: (database: Database) => Promise<T>): Promise<T> {
    const database = connectForMigrations(this.url, { keepsSession: true });
    return work(database).finally(() => database.close());
  }

  sql<Row extends object>(text: string): Promise<Row[]> {
    return this.run((database) => select<Row>(database, text, {}));
  }

  /** Makes it as a server leaves it that was started for the first time. */
  async empty(): Promise<void> {
    await this.run(async (database) => {
      await undoMigrations(database);
      await database.query("DROP TABLE IF EXISTS unfinished_restore");
      await runPending(database, silentLog);
    });
  }

  /** Beside the database, where a server has them. */
  get files() {
    const folder = join(this.database.settings.DATA_DIR, "files");
    return { storage: new DiskStorage(folder), folder };
  }

  backUp(path: string) {
    return writeBackup({ url: this.url, path, version: "0.1.0", secret: testSecret, files: this.files });
  }

  /** Restores an archive, and returns the secret in it too. */
  async restore(
    path: string,
    options: { endsSessions?: boolean } = {},
  ): Promise<RestoreSummary & { secret: string | undefined }> {
    const archive = await Archive.open(path);
    let secret: string | undefined;
    try {
      const summary = await restoreInto(this.engine, {
        archive,
        restoredFiles: { storage: this.files.storage, incoming: new IncomingFiles(this.files.folder) },
        endsSessions: options.endsSessions ?? false,
        sessionLifetimeMs: 86_400_000,
        keepSecret: async (text) => {
          secret = text;
        },
        log: silentLog,
      });
      return { ...summary, secret };
    } finally {
      archive.close();
    }
  }
}

/** All rows of an archive, by table, except what a restore may change. */
export async function rowsOf(path: string): Promise<Record<string, string[]>> {
  const archive = await Archive.open(path);
  const rows: Record<string, string[]> = {};
  for (const part of archive.manifest.tables) {
    if (part.table === "server_state") continue;
    rows[part.table] = [];
    for await (const line of archive.lines(part)) {
      if (part.table !== "audit_log" || !line.includes('"data.restore"')) rows[part.table]?.push(line);
    }
  }
  archive.close();
  return rows;
}

/** Writes a complete archive with the parts of another one, some lines and the manifest of which are changed. */
export async function rewrite(
  from: string,
  to: string,
  change: { manifest?: (manifest: Manifest) => object; line?: (table: string, line: string) => string },
): Promise<void> {
  const { manifest: changeManifest = (manifest) => manifest, line: changeLine = (_, line) => line } = change;
  const archive = await Archive.open(from);
  const writer = await ArchiveWriter.create(to);
  const tables: TablePart[] = [];
  for (const part of archive.manifest.tables) {
    const lines: string[] = [];
    for await (const line of archive.lines(part)) lines.push(`${changeLine(part.table, line)}\n`);
    tables.push({ ...part, ...(await writer.add(part.name, lines)) });
  }
  await writer.add(secretName, [testSecret]);
  await writer.add(manifestName, [JSON.stringify(changeManifest({ ...archive.manifest, tables }))]);
  await writer.finish();
  archive.close();
}

/** Writes a copy of a file with one other byte. */
export async function changeByte(from: string, to: string, position: number): Promise<void> {
  const bytes = await readFile(from);
  bytes[position] = (bytes[position] ?? 0) ^ 0x10;
  await writeFile(to, bytes);
}

/** Texts that formats between the database and the archive could damage. */
const oddTexts = [
  "line\nbreak",
  "tab\tand \\ backslash \\n",
  `quotes ' " $1 :name $name`,
  "\u2028\u2029\u0085",
  "😀 é ß 漢字",
  "null",
];

/** Fills an empty database: people, sessions, a group and a dialog with messages of every shape, and something deleted. */
export async function fill(database: Database, messages = 30): Promise<void> {
  const run = (sql: string, bind: unknown[] = []) => database.query(sql, { bind });
  await run(
    `INSERT INTO users (email, email_key, password_hash, first_name, last_name, first_name_key, last_name_key, created_at)
     SELECT 'user' || n || '@example.test', 'user' || n || '@example.test', 'hash', 'First' || n,
            CASE WHEN n % 2 = 0 THEN 'Last' END, 'first' || n, '', '2026-01-02 03:04:05.678901+00'
       FROM generate_series(1, 5) AS n`,
  );
  await run(
    "UPDATE users SET deleted_at = now(), email = NULL, email_key = NULL, password_hash = NULL, first_name = NULL, last_name = NULL, first_name_key = NULL, last_name_key = NULL WHERE id = 5",
  );
  await run("INSERT INTO blocks (user_id, blocked_id) VALUES (1, 4)");
  await run(
    `INSERT INTO sessions (user_id, refresh_hash, previous_hash, user_agent)
     SELECT n, sha256(n::text::bytea), CASE n WHEN 1 THEN '\\x00ff5c'::bytea END, 'Agent "x"' FROM generate_series(1, 3) AS n`,
  );
  await run("UPDATE sessions SET revoked_at = now(), refresh_hash = '' WHERE user_id = 3");
  await run("INSERT INTO chats (kind, name) VALUES ('group', 'Group')");
  await run("INSERT INTO chats (kind, pair_low, pair_high) VALUES ('dialog', 1, 2)");
  await run(
    "INSERT INTO chat_members (user_id, chat_id, role) VALUES (1, 1, 'owner'), (2, 1, 'member'), (1, 2, 'member'), (2, 2, 'member')",
  );
  await run(
    `INSERT INTO messages (chat_id, seq, version, sender_id, client_message_id, reply_to, event, content, created_at, change, changed_at)
     SELECT 1 + n % 2, 1 + n / 2, 1 + n / 2, 1 + n % 3, 'client-id-' || n, NULL,
            CASE n % 5 WHEN 0 THEN 'null'::jsonb WHEN 1 THEN '{"kind": "edit", "by": 12345678901234567890.123}'::jsonb END,
            ($1::text[])[1 + n % 6] || n, '2026-01-02 03:04:05.678901+00'::timestamptz + n * interval '1 microsecond',
            CASE n % 7 WHEN 0 THEN '{"kind": "edit", "by": 1}'::jsonb END, CASE n % 7 WHEN 0 THEN now() END
       FROM generate_series(0, ${messages - 1}) AS n`,
    [oddTexts],
  );
  await run(
    "UPDATE messages SET reply_to = (SELECT min(id) FROM messages WHERE chat_id = 2) WHERE chat_id = 2 AND seq = 3",
  );
  await run(
    `UPDATE chats SET last_seq = m.last, version = m.last, last_message_id = m.id
       FROM (SELECT chat_id, max(seq) AS last, (array_agg(id ORDER BY seq DESC))[1] AS id FROM messages GROUP BY chat_id) AS m
      WHERE m.chat_id = chats.id`,
  );
}
