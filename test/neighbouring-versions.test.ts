import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { declaredCompatible, migrate } from "../src/db/migrate.ts";
import { Cluster } from "./support/cluster.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { silentLog } from "./support/silent.ts";

/* A version on the schema of a newer one, as after a rollback or during an upgrade of several processes. */

describeWithCluster("a schema with migrations that this version lacks", () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
  });
  afterAll(() => cluster?.remove());

  /** Creates a database and migrates it. @returns its URL */
  async function migratedDatabase(name: string): Promise<string> {
    await onDatabase(cluster.url, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = cluster.url.replace(/postgres$/, name);
    await migrate(url, silentLog);
    return url;
  }

  const addMigrations = (url: string, names: readonly string[]) =>
    onDatabase(url, (client) => client.query('INSERT INTO "SequelizeMeta" SELECT unnest($1::text[])', [names]));

  test("is rejected, with their names", async () => {
    const url = await migratedDatabase("newer");
    await addMigrations(url, ["29991231235959-later.cjs"]);
    await expect(migrate(url, silentLog)).rejects.toThrow(
      "its schema is newer than this version, which lacks 29991231235959",
    );
  });

  test("is accepted with a warning if each of them is recorded as compatible with this version", async () => {
    const url = await migratedDatabase("newer_compatible");
    const known = "20261130090000-compatible-migrations.cjs";
    const later = ["29991231235958-add.cjs", "29991231235959-later.cjs"];
    const record = (compatible: object) =>
      onDatabase(url, (client) =>
        client.query("UPDATE server_state SET compatible_migrations = compatible_migrations || $1", [compatible]),
      );
    await addMigrations(url, later);
    await record({ [later[0] ?? ""]: known });
    await expect(migrate(url, silentLog)).rejects.toThrow("its schema is newer than this version");
    await record({ [later[1] ?? ""]: later[0] });
    await expect(migrate(url, silentLog)).rejects.toThrow("its schema is newer than this version");
    await record({ [later[1] ?? ""]: known });
    expect(await migrate(url, silentLog)).toEqual([]);
    const server = await ServerProcess.start({
      DATABASE_URL: url,
      JWT_SECRET: "for tests only, and long enough for them",
    });
    expect(server.output).toContain(
      `WARN: the schema is newer than this version and compatible with it: ${later.join(", ")}`,
    );
    await server.stop("SIGTERM");
  });

  test("is prepared for: each migration records which versions work on its schema", async () => {
    const url = await migratedDatabase("recorded");
    const { rows } = await onDatabase(url, (client) => client.query("SELECT compatible_migrations FROM server_state"));
    expect(rows).toEqual([{ compatible_migrations: declaredCompatible() }]);
    const names = readdirSync(join(__dirname, "../migrations"));
    for (const [name, since] of Object.entries(declaredCompatible())) {
      expect(names).toContain(since);
      expect(since < name).toBe(true);
    }
  });
});
