import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import pg from "pg";
import { startEmbedded } from "../src/db/embedded.ts";
import { embeddedMajor } from "../src/db/embedded-folder.ts";
import { onServer } from "./support/databases.ts";
import { register, useProcesses } from "./support/processes.ts";

/* One process per data folder; only the embedded database has one. */

const processes = useProcesses();

test.each([
  ["where none can be created", "/proc/nope", /ENOENT/],
  ["below one that cannot be created", "/proc/nope/data", /ENOENT/],
  ["below a file", "/proc/version/data", /ENOTDIR/],
])("a data folder %s ends the start at once with one line", async (_where, dataDir, reason) => {
  const startedAt = performance.now();
  const { code, output } = await processes.spawn({ DATA_DIR: dataDir }).exited;
  expect(performance.now() - startedAt).toBeLessThan(60_000);
  const [error = "", ...others] = output.split("\n").filter((line) => line && !line.includes(" WARN: "));
  expect(error).toMatch(reason);
  expect(error).toMatch(
    onServer
      ? /^The generated JWT_SECRET cannot be kept in /
      : new RegExp(`^The data folder ${dataDir} cannot be used: `),
  );
  expect(others).toEqual([]);
  expect(code).toBe(1);
});

(onServer ? describe.skip : describe)("a data folder", () => {
  test("a second process on the same data folder fails with the id of the first", async () => {
    const first = await processes.start();
    const { code, output } = await processes.spawn().exited;
    expect(code).toBe(1);
    expect(output).toContain(
      `The data folder ${processes.dataDir} is in use by another messenger (process ${first.child.pid})`,
    );
    await register(first);
  });

  test("the lock of a killed process is taken over at once", async () => {
    const first = await processes.start();
    await first.stop("SIGKILL");
    const startedAt = Date.now();
    await processes.start();
    expect(Date.now() - startedAt).toBeLessThan(60_000);
  });

  test("a data folder works even if its path is too long for a socket", async () => {
    const folder = `${processes.dataDir}/${"long-".repeat(30)}`;
    const server = await processes.start({ DATA_DIR: folder });
    await register(server);
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 0, output: expect.not.stringContaining("FATAL") });
  });

  const dataOf = (folder: string) => join(folder, "postgres");

  /** Expects that a start fails with one line, and creates nothing. */
  async function expectRejected(dataDir: string, line: RegExp): Promise<void> {
    const before = await readdir(dataDir);
    const { code, output } = await processes.spawn({ DATA_DIR: dataDir }).exited;
    expect(output.trim()).toMatch(line);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
    expect((await readdir(dataDir)).filter((name) => name !== "sockets")).toEqual(
      before.filter((name) => name !== "sockets"),
    );
  }

  test("without a part of a database is rejected, never initialised over, and works again with it", async () => {
    for (const part of ["PG_VERSION", "base", "global", "global/pg_control", "pg_wal"]) {
      const [path, aside] = [join(dataOf(processes.dataDir), part), join(processes.dataDir, "aside")];
      await rename(path, aside);
      await expectRejected(
        processes.dataDir,
        new RegExp(`^The database in .*/postgres is incomplete: ${part} is missing\\. Restore it from a backup`),
      );
      await rename(aside, path);
    }
    await register(await processes.start());
  });

  test("with a database of another version of PostgreSQL is rejected with both versions", async () => {
    const path = join(dataOf(processes.dataDir), "PG_VERSION");
    expect((await readFile(path, "utf8")).trim()).toBe(embeddedMajor);
    await writeFile(path, "14\n");
    await expectRejected(processes.dataDir, /is one of PostgreSQL 14, and this version contains PostgreSQL 18/);
  });

  test("with other files, or a file, in place of the database is rejected", async () => {
    const dataDir = join(processes.dataDir, "other");
    await mkdir(dataOf(dataDir), { recursive: true });
    await writeFile(join(dataOf(dataDir), "notes.txt"), "not a database");
    await expectRejected(dataDir, /is incomplete: PG_VERSION is missing/);
    await rm(dataOf(dataDir), { recursive: true });
    await writeFile(dataOf(dataDir), "not a folder");
    await expectRejected(dataDir, /postgres is not a folder\. Move it away/);
  });

  test("a file in place of the data folder is rejected with one line", async () => {
    const dataDir = join(processes.dataDir, "file");
    await writeFile(dataDir, "");
    const { code, output } = await processes.spawn({ DATA_DIR: dataDir }).exited;
    expect(output.trim()).toMatch(/^The data folder .*\/file cannot be used: [^\n]*$/);
    expect(code).toBe(1);
  });

  test.each([["a missing"], ["an empty"]])(
    "a first start with %s folder that is killed leaves nothing that the next start takes for a database",
    async (what) => {
      const dataDir = join(processes.dataDir, "first");
      if (what === "an empty") await mkdir(dataOf(dataDir), { recursive: true });
      const killed = processes.spawn({ DATA_DIR: dataDir });
      // Killed as soon as the creation has written its first files.
      const creation = join(dataDir, "postgres.new");
      const deadline = performance.now() + 30_000;
      while ((await readdir(creation).catch(() => [])).length === 0) {
        if (performance.now() > deadline) throw new Error("nothing was created");
      }
      await killed.stop("SIGKILL");
      expect(await readdir(dataOf(dataDir)).catch(() => [])).toEqual([]);

      await register(await processes.start({ DATA_DIR: dataDir }));
      await expect(readdir(creation)).rejects.toThrow("ENOENT");
    },
  );

  test("what a killed first start left is removed, whatever it is", async () => {
    const dataDir = join(processes.dataDir, "half");
    await mkdir(dataDir);
    await cp(dataOf(processes.dataDir), join(dataDir, "postgres.new"), { recursive: true });
    await rm(join(dataDir, "postgres.new", "global"), { recursive: true });
    await register(await processes.start({ DATA_DIR: dataDir }));
  });
});

(onServer ? describe.skip : describe)("the socket of an embedded database", () => {
  test("admits no other program, which could change the session that all connections share", async () => {
    const engine = await startEmbedded(processes.dataDir);
    try {
      const ours = new pg.Client({ connectionString: engine.url });
      await ours.connect();
      for (const password of ["", "postgres", "x".repeat(20_000)]) {
        const url = new URL(engine.url);
        url.password = password;
        const foreign = new pg.Client({ connectionString: url.href, password: password || "none" });
        foreign.on("error", () => {});
        await expect(foreign.connect()).rejects.toThrow(/admits only the messenger|terminated|ECONNRESET|EPIPE/);
        await foreign.end().catch(() => {});
      }
      const { rows } = await ours.query("SELECT 1 AS one");
      expect(rows).toEqual([{ one: 1 }]);
      await ours.end();
    } finally {
      await engine.stop();
    }
  });
});
