import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { Cluster } from "./support/cluster.ts";
import type { Device } from "./support/device.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";
import { sendPrivately } from "./support/scenes.ts";

/*
 * A database that cannot serve: requests get UNAVAILABLE, the readiness check says why, and the log has one line at the
 * start of the outage and one at its end. Without a restart everything works again.
 */

const startLine = /the database is unavailable: .*/g;
const endLine = /the database is available again after [\d.]+ s/g;

/** How long after the database is back the server must be ready again, in milliseconds. */
const recoveryMs = 10_000;

describeWithCluster("a messenger whose database cannot serve", () => {
  let cluster: Cluster;
  let server: ServerProcess;
  let ann: { user: { id: number }; token: string };
  let device: Device;
  let count = 0;

  const sql = (text: string) => onDatabase(cluster.url, (client) => client.query(text));
  /** Closes the connections of the server. */
  const disconnect = () => sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'messenger'");

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
  });

  beforeEach(async () => {
    const name = `outage${++count}`;
    await sql("DO $$ BEGIN CREATE ROLE messenger LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    await sql(`CREATE DATABASE ${name} OWNER messenger`);
    server = await ServerProcess.start({
      DATABASE_URL: `postgres://messenger@127.0.0.1:${cluster.port}/${name}`,
      JWT_SECRET: "for tests only, and long enough for them",
      RATE_LIMITS: "off",
      // A second connection, opened after the outage, would hide that the first one is useless.
      DATABASE_POOL_SIZE: "1",
    });
    ann = await post(server, "/auth/register", {
      email: "ann@example.test",
      password: "correct horse battery",
      firstName: "Ann",
    });
    device = await connect(server, ann.token);
    await sendPrivately(device, ann.user.id, "before");
  });

  afterEach(async () => {
    cluster.resume();
    await server.stop("SIGKILL");
  });

  afterAll(() => cluster?.remove());

  async function readiness(): Promise<{ status: number; body: { code?: string; checks: Record<string, string> } }> {
    const response = await fetch(`http://127.0.0.1:${server.port}/health/ready`);
    return { status: response.status, body: (await response.json()) as never };
  }

  const send = (content: string) =>
    device.exchange(
      { type: "privateMessage", params: { receiverId: ann.user.id, content, clientMessageId: `id-of-${content}` } },
      30_000,
    );

  /** Waits until the server is ready again and sends are stored. */
  async function expectRecovery(): Promise<void> {
    const deadline = performance.now() + recoveryMs;
    for (let n = 0; ; n++) {
      const { status, body } = await readiness();
      if (status === 200 && (await send(`after ${n}`)).success) break;
      if (performance.now() > deadline) throw new Error(`still not ready: ${JSON.stringify(body)}`);
      await wait(100);
    }
    await server.waitForOutput(endLine);
  }

  /** Expects that the log has one line about the start of the outage, with its reason, and one about its end. */
  function expectOneOutage(reason: RegExp): void {
    expect(server.output.match(startLine)).toEqual([expect.stringMatching(reason)]);
    expect(server.output.match(endLine)).toHaveLength(1);
    expect(server.output).not.toMatch(/ERROR|FATAL|\n\s+at /);
  }

  /** Strangers can read the answer, so it has no text of PostgreSQL or its driver. */
  async function expectNotReady(state: "read-only" | "not responding" | "unavailable"): Promise<void> {
    const { status, body } = await readiness();
    expect({ status, body }).toMatchObject({
      status: 503,
      body: {
        code: "UNAVAILABLE",
        detail: `Not ready: database: ${state}`,
        checks: { server: "ok", database: state, bus: "ok" },
      },
    });
  }

  test("because it has become read-only, goes on reading, and writes again on new connections once it can", async () => {
    // Connections that are opened from now on are read-only, and stay so until they are replaced.
    const name = `outage${count}`;
    await sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await disconnect();
    await server.waitForOutput(startLine);
    for (let n = 0; n < 5; n++) {
      expect(await send("refused")).toMatchObject({ code: "UNAVAILABLE", retryable: true });
      const me = await fetch(`http://127.0.0.1:${server.port}/users/me`, {
        headers: { authorization: `Bearer ${ann.token}` },
      });
      expect(me.status).toBe(200);
      await device.request("listLastMessage", { limit: 1, page: 1 });
      await expectNotReady("read-only");
    }
    await sql(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await expectRecovery();
    expectOneOutage(/the database is read-only/);
  });

  test("because it is stopped and started again", async () => {
    await cluster.stop();
    await server.waitForOutput(startLine);
    for (let n = 0; n < 5; n++) {
      await expectNotReady("unavailable");
      expect(await send("refused")).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    }
    await cluster.start();
    await expectRecovery();
    expectOneOutage(/ECONNREFUSED|terminating connection|shutting down|starting up/);
  });

  test("because it is suspended answers the readiness check in time", async () => {
    await cluster.pause();
    const startedAt = performance.now();
    await expectNotReady("not responding");
    expect(performance.now() - startedAt).toBeLessThan(4000);
    const sent = send("suspended");
    await expectNotReady("not responding");
    cluster.resume();
    await sent;
    await expectRecovery();
    expectOneOutage(/does not respond/);
  });

  test.each([
    ["its role may not log in any more", "NOLOGIN", "LOGIN", /not permitted to log in/],
    ["its role has too many connections", "CONNECTION LIMIT 0", "CONNECTION LIMIT -1", /too many connections/],
  ])("because %s", async (_what, begin, end, reason) => {
    await sql(`ALTER ROLE messenger ${begin}`);
    await disconnect();
    await server.waitForOutput(startLine);
    for (let n = 0; n < 5; n++) {
      await expectNotReady("unavailable");
      expect(await send("refused")).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    }
    await sql(`ALTER ROLE messenger ${end}`);
    await expectRecovery();
    expectOneOutage(reason);
  });

  test("because it accepts no connections", async () => {
    const name = `outage${count}`;
    await sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await disconnect();
    await server.waitForOutput(startLine);
    await expectNotReady("unavailable");
    await sql(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    await expectRecovery();
    expectOneOutage(/not currently accepting connections/);
  });

  test("on connections that were closed once is not an outage", async () => {
    await disconnect();
    await server.waitForOutput(/database connections were lost and opened again: .*terminat/);
    expect(await readiness()).toMatchObject({ status: 200 });
    expect(await send("after")).toMatchObject({ success: true });
    expect(server.output).not.toMatch(startLine);
  });
});
