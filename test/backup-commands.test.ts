import { randomBytes, randomInt } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { Archive } from "../src/backup/archive-reader.ts";
import { DiskStorage } from "../src/files/disk-storage.ts";
import { archiveFolder, fill, OpenDatabase, rowsOf } from "./support/archives.ts";
import { runCommand, startCommand } from "./support/command.ts";
import { makeDatabase, onServer, type TestDatabase } from "./support/databases.ts";
import { download, upload } from "./support/files.ts";
import { plainPicture } from "./support/pictures.ts";
import { connect, register, useProcesses } from "./support/processes.ts";

/* `backup` and `restore` as administrators run them: beside a running server, and killed at any moment. */

jest.setTimeout(180_000);

const processes = useProcesses();
let folder: Awaited<ReturnType<typeof archiveFolder>>;
const databases: TestDatabase[] = [];

beforeAll(async () => {
  folder = await archiveFolder();
});

afterAll(async () => {
  await Promise.all(databases.map((database) => database.remove()));
  await folder?.remove();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await makeDatabase();
  databases.push(database);
  return database;
}

const picture = () => plainPicture(900, 700, "teal");

/** The contents of all objects below a DATA_DIR. */
async function objectsIn(dataDir: string): Promise<Map<string, string>> {
  const storage = new DiskStorage(join(dataDir, "files"));
  const objects = new Map<string, string>();
  for await (const { key } of storage.list()) {
    const content = await storage.get(key);
    if (content) objects.set(key, (await buffer(content)).toString("base64"));
  }
  return objects;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

test("a backup beside a server has every message that was acknowledged before, and restores to a server that continues", async () => {
  const server = await processes.start();
  const { user, token } = await register(server);
  const device = await connect(server, token);
  const acknowledged: string[] = [];
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) {
      const content = `message ${acknowledged.length}`;
      await device.request("privateMessage", { receiverId: user.id, content });
      acknowledged.push(content);
    }
  })();
  const path = join(folder.path, "beside.zip");
  while (acknowledged.length < 20) await wait(5);
  const before = acknowledged.length;
  const run = await runCommand(["backup", path, "--json"], processes.settings);
  const after = acknowledged.length;
  isWriting = false;
  await writing;
  expect(run).toMatchObject({ code: 0, errors: "" });
  expect(JSON.parse(run.output)).toMatchObject({ path, hasSecret: true });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await exists(join(processes.dataDir, "backup-copy"))).toBe(false);
  expect(after).toBeGreaterThan(before);

  const stored = ((await rowsOf(path)).messages ?? []).map((line): string => JSON.parse(line).content);
  expect(stored.slice(0, before)).toEqual(acknowledged.slice(0, before));
  expect(acknowledged.slice(0, stored.length)).toEqual(stored);

  const target = await emptyDatabase();
  const restored = await runCommand(["restore", path], target.settings);
  expect(restored).toMatchObject({ code: 0, errors: "" });
  expect(restored.output).toMatch(/fsck has found no violations\.\n.*\nSessions that are valid again: 1\./);
  expect(await runCommand(["restore", path], target.settings)).toMatchObject({
    code: 1,
    errors: expect.stringMatching(/^The database .* has users\. .*\n$/),
  });
  const continued = await processes.start(target.settings);
  const again = await connect(continued, token);
  const { params } = await again.request("getlatestMessageDialog", { receiverId: user.id, limit: 1, page: 1 });
  expect(params.data).toMatchObject([{ content: stored.at(-1) }]);
  const { messageId } = (await again.request("privateMessage", { receiverId: user.id, content: "later" })).params.item;
  expect(messageId).toBeGreaterThan(1_000_000_000);
  await server.stop("SIGTERM");
});

test("files are restored byte for byte, and can be read, sent and uploaded on the new server", async () => {
  const server = await processes.start();
  const { user, token } = await register(server);
  const device = await connect(server, token);
  const contents = new Map<string, Buffer>();
  for (const content of [randomBytes(300_000), await picture(), Buffer.alloc(0)]) {
    contents.set(await upload(server, { token }, content), content);
  }
  const [sent = "", ...unsent] = contents.keys();
  await device.request("privateMessage", { receiverId: user.id, content: "", fileIds: [sent] });
  const path = join(folder.path, "files.zip");
  const backup = await runCommand(["backup", path, "--json"], processes.settings);
  expect(backup).toMatchObject({ code: 0, errors: "" });
  await server.stop("SIGTERM");
  const before = await objectsIn(processes.dataDir);
  expect(before.size).toBeGreaterThan(contents.size); // and thumbnails
  expect(JSON.parse(backup.output)).toMatchObject({ files: before.size });

  const target = await emptyDatabase();
  expect(await runCommand(["restore", path], target.settings)).toMatchObject({ code: 0, errors: "" });
  expect(await objectsIn(target.settings.DATA_DIR)).toEqual(before);
  const restored = await processes.start(target.settings);
  for (const [id, content] of contents) {
    const read = await download(restored, `/files/${id}`, { token });
    expect([read.status, read.content.equals(content)]).toEqual([200, true]);
  }
  const added = await upload(restored, { token }, Buffer.from("new"));
  const again = await connect(restored, token);
  const params = { receiverId: user.id, content: "", fileIds: [...unsent, added] };
  expect((await again.request("privateMessage", params)).params.item.files).toHaveLength(3);
});

test("a server whose folder of files is that of another database does not start, and changes nothing there", async () => {
  const server = await processes.start();
  const { token } = await register(server);
  const fileId = await upload(server, { token }, Buffer.from("mine"));
  await server.stop("SIGTERM");
  const files = join(processes.dataDir, "files");
  const kept = `${files}.kept`;
  const marker = (await readdir(files)).find((name) => name.startsWith("files-of-")) ?? "";
  await rename(files, kept);
  await mkdir(files);
  await writeFile(join(files, "files-of-another"), "");
  const foreign = await processes.spawn().exited;
  expect(foreign.code).toBe(1);
  expect(foreign.output).toContain(`${marker} is missing`);
  expect(foreign.output).toContain("FILES_URL");
  expect(await readdir(files)).toEqual(["files-of-another"]);

  await rm(files, { recursive: true });
  await rename(kept, files);
  const again = await processes.start();
  expect(String((await download(again, `/files/${fileId}`, { token })).content)).toBe("mine");
});

describe("killed at any moment", () => {
  let source: TestDatabase;
  const path = () => join(folder.path, "whole.zip");
  let fullMs: number;

  beforeAll(async () => {
    source = await emptyDatabase();
    const database = await OpenDatabase.open(source);
    await database.run((connection) => fill(connection, 3000));
    await database.stop();
    const startedAt = performance.now();
    expect(await runCommand(["backup", path()], source.settings)).toMatchObject({ code: 0, errors: "" });
    fullMs = performance.now() - startedAt;
  });

  /** Kills a command at a random moment. @returns after how many milliseconds */
  async function killAtRandom(words: string[], settings: Record<string, string>): Promise<number> {
    const { child, ended } = startCommand(words, settings);
    const delayMs = randomInt(Math.floor(fullMs / 4), Math.ceil(fullMs));
    await Promise.race([wait(delayMs), ended]);
    child.kill("SIGKILL");
    await ended;
    return delayMs;
  }

  test("a backup leaves a complete archive or none, and the next one works", async () => {
    for (let round = 0; round < 3; round++) {
      const killed = join(folder.path, `killed-${round}.zip`);
      const delayMs = await killAtRandom(["backup", killed], source.settings);
      if (await exists(killed)) (await Archive.open(killed)).close();
      expect([delayMs, await readdir(source.settings.DATA_DIR)]).toEqual([
        delayMs,
        expect.not.arrayContaining(["postgres.new"]),
      ]);
    }
    const next = join(folder.path, "next.zip");
    expect(await runCommand(["backup", next], source.settings)).toMatchObject({ code: 0, errors: "" });
    expect(await rowsOf(next)).toEqual(await rowsOf(path()));
    expect(await exists(join(source.settings.DATA_DIR, "backup-copy"))).toBe(false);
  });

  test("a restore can be run again, and is complete then", async () => {
    const target = await emptyDatabase();
    const delays: number[] = [];
    for (let round = 0; round < 3; round++) delays.push(await killAtRandom(["restore", path()], target.settings));
    const { code, errors } = await runCommand(["restore", path()], target.settings);
    // One that was killed after its end has restored everything.
    expect([delays, code === 0 || errors.includes("has users")]).toEqual([delays, true]);
    const again = join(folder.path, "again.zip");
    expect(await runCommand(["backup", again], target.settings)).toMatchObject({ code: 0, errors: "" });
    expect(await rowsOf(again)).toEqual(await rowsOf(path()));
  });
});

test("a server does not start on a half-restored database, and says what to do in one line", async () => {
  const database = await OpenDatabase.open({ settings: processes.settings, remove: async () => {} });
  await database.sql("CREATE TABLE unfinished_restore (started_at timestamptz PRIMARY KEY)");
  await database.stop();
  const { code, output } = await processes.spawn({ LOG_LEVEL: "fatal" }).exited;
  expect(output.trim()).toBe(
    "The database cannot be used: a restore into it was not finished. Run `messenger restore FILE` again.",
  );
  expect(code).toBe(1);
});

(onServer ? test.skip : test)(
  "two backups at a time are refused, and a copy that a killed one left is removed at the next start",
  async () => {
    const server = await processes.start();
    const copy = join(processes.dataDir, "backup-copy");
    const path = join(folder.path, "first.zip");
    const first = startCommand(["backup", path], processes.settings);
    while (!(await exists(copy))) await wait(5);
    expect(await runCommand(["backup", join(folder.path, "second.zip")], processes.settings)).toMatchObject({
      code: 1,
      errors: `Another backup of ${processes.dataDir} is running (process ${first.child.pid}).\n`,
    });
    first.child.kill("SIGKILL");
    await first.ended;
    await server.stop("SIGTERM");
    await processes.start();
    expect(await exists(copy)).toBe(false);
  },
);
