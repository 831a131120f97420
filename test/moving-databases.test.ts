import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { archiveFolder, fill, OpenDatabase, rowsOf } from "./support/archives.ts";
import { Cluster } from "./support/cluster.ts";
import { describeWithCluster } from "./support/prerequisites.ts";

describeWithCluster("a team that moves", () => {
  let cluster: Cluster;
  let folder: Awaited<ReturnType<typeof archiveFolder>>;
  const open: OpenDatabase[] = [];

  beforeAll(async () => {
    [cluster, folder] = await Promise.all([Cluster.create(), archiveFolder()]);
    await cluster.start();
  });

  afterAll(async () => {
    await Promise.all(open.map((database) => database.close()));
    await cluster?.remove();
    await folder?.remove();
  });

  async function opened(settings: { DATABASE_URL?: string; DATA_DIR: string }): Promise<OpenDatabase> {
    const remove = () => rm(settings.DATA_DIR, { recursive: true, force: true });
    const database = await OpenDatabase.open({ settings, remove });
    open.push(database);
    return database;
  }

  const emptyFolder = () => mkdtemp(join(tmpdir(), "messenger-test-"));

  test("from the embedded database to a server and back keeps every row, whatever the version of PostgreSQL", async () => {
    const embedded = await opened({ DATA_DIR: await emptyFolder() });
    await embedded.empty();
    await embedded.run((database) => fill(database, 700));
    const [first, second, third] = [1, 2, 3].map((n) => join(folder.path, `${n}.zip`)) as [string, string, string];
    await embedded.backUp(first);
    const rows = await rowsOf(first);
    expect(rows.messages).toHaveLength(700);

    const server = await opened({ DATABASE_URL: cluster.url, DATA_DIR: await emptyFolder() });
    expect(await server.restore(first)).toMatchObject({ violations: [], unknown: [] });
    await server.backUp(second);
    expect(await rowsOf(second)).toEqual(rows);

    await embedded.empty();
    expect(await embedded.restore(second)).toMatchObject({ violations: [], unknown: [] });
    await embedded.backUp(third);
    expect(await rowsOf(third)).toEqual(rows);
  });
});
