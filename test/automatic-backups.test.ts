import { cp, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Archive } from "../src/backup/archive-reader.ts";
import { automaticBackups } from "../src/backup/backup-folder.ts";
import { type AutomaticBackups, backUp, backUpRegularly } from "../src/jobs/automatic-backups.ts";
import { fill, OpenDatabase, testSecret } from "./support/archives.ts";
import { makeDatabase, onServer, type TestDatabase } from "./support/databases.ts";
import { describeWithDisk } from "./support/prerequisites.ts";
import { SmallDisk } from "./support/small-disk.ts";

/* Automatic backups of the embedded database. */

const day = 86_400_000;

/** The options of a database, and the lines that are logged. */
function optionsFor(database: OpenDatabase, dataDir: string) {
  const lines: { level: "info" | "warn"; text: string; fields: Record<string, unknown> }[] = [];
  const note = (level: "info" | "warn") => (fields: Record<string, unknown>, text: string) =>
    void lines.push({ level, text, fields });
  const log = { info: note("info"), warn: note("warn") } as unknown as AutomaticBackups["log"];
  const options = {
    ...{ dataDir, everyMs: day, keep: 2, copyData: database.copyData, version: "0.1.0", files: undefined, log },
    findSecret: async () => testSecret,
  };
  return { options, lines };
}

/** Puts files with the names of earlier backups into the folder. */
async function earlierBackups(dataDir: string, ages: readonly number[]): Promise<void> {
  await mkdir(join(dataDir, "backups"), { recursive: true });
  for (const [index, ageMs] of ages.entries()) {
    const path = join(dataDir, "backups", `messenger-2026-01-0${index + 1}T00-00-00Z.zip`);
    await writeFile(path, "earlier");
    await utimes(path, new Date(Date.now() - ageMs), new Date(Date.now() - ageMs));
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("nothing happened in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const embeddedOnly = onServer ? describe.skip : describe;

embeddedOnly("automatic backups", () => {
  let database: OpenDatabase;
  let settings: TestDatabase["settings"];
  let stop = () => {};

  beforeEach(async () => {
    const created = await makeDatabase();
    settings = created.settings;
    database = await OpenDatabase.open(created);
    await database.run((connection) => fill(connection));
  });

  afterEach(async () => {
    stop();
    await database.close();
  });

  test("are written once the newest is older than the interval, keep only the newest, and leave other files", async () => {
    const { options, lines } = optionsFor(database, settings.DATA_DIR);
    await earlierBackups(settings.DATA_DIR, [4 * day, 3 * day, 2 * day]);
    const folder = join(settings.DATA_DIR, "backups");
    await writeFile(join(folder, "mine.zip"), "");
    await writeFile(join(folder, ".messenger-2026-01-01T00-00-00Z.zip.0000.partial"), "");
    stop = backUpRegularly(options);
    await until(() => lines.length > 0);
    expect(lines).toEqual([
      {
        level: "info",
        text: "backup written",
        fields: expect.objectContaining({ rows: expect.any(Number), removed: 2 }),
      },
    ]);
    const names = (await readdir(folder)).sort();
    expect(names).toEqual([
      "messenger-2026-01-03T00-00-00Z.zip",
      expect.stringMatching(/^messenger-2026-.*Z\.zip$/),
      "mine.zip",
    ]);
    const archive = await Archive.open(join(folder, names[1] ?? ""));
    expect(archive.manifest.tables.find(({ table }) => table === "messages")?.rows).toBe(30);
    archive.close();
    expect(await readdir(settings.DATA_DIR)).not.toContain("backup-copy");

    // The next one is not due.
    stop();
    stop = backUpRegularly(options);
    expect(await automaticBackups(settings.DATA_DIR)).toHaveLength(2);
  });
});

(onServer ? describe.skip : describeWithDisk)("on a disk without room for a copy", () => {
  test("a backup fails with the reason before it fills the disk, and the earlier ones stay", async () => {
    const disk = await SmallDisk.mount(200);
    const created = await makeDatabase();
    const dataDir = join(disk.folder, "data");
    await cp(created.settings.DATA_DIR, dataDir, { recursive: true });
    const database = await OpenDatabase.open({ settings: { DATA_DIR: dataDir }, remove: async () => {} });
    try {
      await earlierBackups(dataDir, [4 * day, 3 * day, 2 * day]);
      await disk.fill(60 * 1024 * 1024);
      const { options, lines } = optionsFor(database, dataDir);
      await expect(backUp(options)).rejects.toThrow(/needs \d+ MB of free space .* \(no space left on device\)/);
      const stop = backUpRegularly(options);
      await until(() => lines.length > 0);
      stop();
      expect(lines).toEqual([
        {
          level: "warn",
          text: "the automatic backup failed; retrying",
          fields: { err: expect.objectContaining({ message: expect.stringMatching(/no space left on device/) }) },
        },
      ]);
      expect(await automaticBackups(dataDir)).toHaveLength(3);
      expect(await readdir(dataDir)).not.toContain("backup-copy");
      // A copy that fails midway leaves nothing.
      await disk.clear();
      await disk.fill(10 * 1024 * 1024);
      await expect(database.copyData(join(dataDir, "copy"))).rejects.toThrow(/cannot be copied: ENOSPC/);
      expect(await readdir(dataDir)).not.toContain("copy");
    } finally {
      await database.close();
      await disk.unmount();
      await created.remove();
    }
  });
});
