import { afterAll, beforeAll, expect, test } from "@jest/globals";
import pg from "pg";
import { readSettings } from "../src/config/read-settings.ts";
import { connect } from "../src/db/connect.ts";
import { migrate } from "../src/db/migrate.ts";
import { select } from "../src/db/select.ts";
import { Cluster, freePort } from "./support/cluster.ts";
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
    const database = connect({ url: cluster.url, embedded: false, poolSize: 1, timeouts, log: silentLog });
    const names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];
    const settings = names.map((name) =>
      select<{ it: string }>(database, "SELECT current_setting($name) AS it", { name }),
    );
    expect((await Promise.all(settings)).map(([row]) => row?.it)).toEqual(["11s", "12s", "10s"]);
    await database.close();
  });

  test("of several processes that start at once on an empty database, one migrates and the others wait", async () => {
    const client = new pg.Client({ connectionString: cluster.url });
    await client.connect();
    await client.query("CREATE DATABASE fresh");
    await client.end();
    const url = cluster.url.replace(/postgres$/, "fresh");
    const ran = await Promise.all([1, 2, 3, 4].map(() => migrate(url, silentLog)));
    const [migrations = [], ...none] = ran.sort((a, b) => b.length - a.length);
    expect(migrations.length).toBeGreaterThan(0);
    expect(none).toEqual([[], [], []]);
  });
});
