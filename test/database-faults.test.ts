import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import pg from "pg";
import { Cluster } from "./support/cluster.ts";
import { ConnectionCutter } from "./support/connection-cutter.ts";
import type { Device } from "./support/device.ts";
import { readMetrics } from "./support/metrics-text.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";
import { createGroup, sendPrivately } from "./support/scenes.ts";

/*
 * Clients during restarts, freezes and connection losses of the database: every send is answered, if need be with
 * "unknown, try again"; acknowledged messages are stored; repeated sends are stored once and pushed once.
 */

/** How long PostgreSQL is frozen, in seconds. Set FAULT_PAUSE_SECONDS=30 for the long run. */
const pauseSeconds = Number(process.env.FAULT_PAUSE_SECONDS ?? 2);
/** The statement of every send, in a transaction of its own. */
const sendStatement = "send_messages";
const metricsToken = "for-tests-of-the-metrics-only";
/** How long after the database is back requests must succeed again, in milliseconds. */
const recoveryMs = 5000;
/** How long requests may wait for a frozen database, queued ones included, in milliseconds. */
const answerTimeoutMs = 60_000;

describeWithCluster("a messenger whose PostgreSQL fails", () => {
  let cluster: Cluster;
  let cutter: ConnectionCutter;
  let server: ServerProcess;
  let ann: { user: { id: number }; token: string };
  let bob: typeof ann;
  let annsPhone: Device;
  let annsLaptop: Device;
  let bobsPhone: Device;
  let people = 0;

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
    cutter = await ConnectionCutter.inFrontOf(cluster.port);
    server = await ServerProcess.start({
      DATABASE_URL: `postgres://postgres@127.0.0.1:${cutter.port}/postgres`,
      JWT_SECRET: "for tests only, and long enough for them",
      RATE_LIMITS: "off",
      METRICS_TOKEN: metricsToken,
    });
  });

  afterAll(async () => {
    await server?.stop("SIGKILL");
    await cutter?.close();
    await cluster?.remove();
  });

  const isReady = async () => (await fetch(`http://127.0.0.1:${server.port}/health/ready`)).ok;

  beforeEach(async () => {
    // After the fault of the test before.
    while (!(await isReady())) await wait(50);
    const register = () =>
      post(server, "/auth/register", {
        email: `person${++people}@example.test`,
        password: "correct horse battery",
        firstName: `Person${people}`,
      });
    [ann, bob] = [await register(), await register()];
    [annsPhone, annsLaptop, bobsPhone] = [
      await connect(server, ann.token),
      await connect(server, ann.token),
      await connect(server, bob.token),
    ];
    // The first message creates the dialog in a transaction of its own.
    await sendPrivately(annsPhone, bob.user.id, "the first message");
  });

  afterEach(async () => {
    await Promise.all([annsPhone, annsLaptop, bobsPhone].map((device) => device.close()));
    expect(server.child.exitCode).toBeNull();
  });

  const readServerMetrics = () =>
    readMetrics(`http://127.0.0.1:${server.port}/metrics`, { authorization: `Bearer ${metricsToken}` });

  const send = (content: string) =>
    annsPhone.exchange(
      {
        type: "privateMessage",
        params: { receiverId: bob.user.id, content, clientMessageId: `client-id-of-${content}` },
      },
      answerTimeoutMs,
    );

  /**
   * Repeats a send until it is stored, as the protocol requires.
   * @returns how often the outcome was unknown
   */
  async function sendUntilStored(content: string, deadline = () => Date.now() + recoveryMs): Promise<number> {
    for (let unknown = 0; ; unknown++) {
      const answer = await send(content);
      if (answer.success) return unknown;
      expect(answer).toMatchObject({ code: "UNAVAILABLE", retryable: true });
      if (Date.now() > deadline()) throw new Error(`still ${JSON.stringify(answer)}`);
      await wait(Math.min(answer.retryAfterMs ?? 100, 250));
    }
  }

  /**
   * Causes a fault while several sends are always in progress, and checks the outcome of each.
   * @returns how often the outcome of a send was unknown
   */
  async function expectNothingLost(fault: () => Promise<void>): Promise<number> {
    const contents: string[] = [];
    let backAt: number | undefined;
    let unknown = 0;
    const sendUntilBack = async () => {
      while (!backAt) {
        const content = `message ${people} ${contents.length}`;
        contents.push(content);
        unknown += await sendUntilStored(content, () => (backAt ?? Number.POSITIVE_INFINITY) + recoveryMs);
      }
    };
    const sending = Promise.all(Array.from({ length: 5 }, sendUntilBack));
    await annsPhone.settle();
    await fault();
    backAt = Date.now();
    await sending;
    await expectOnceEverywhere(["the first message", ...contents]);
    return unknown;
  }

  /** Every stored message of the dialog, oldest first. */
  async function history(): Promise<{ seq: number; content: string }[]> {
    const rows: { seq: number; content: string }[] = [];
    for (let page = 1; ; page++) {
      const request = { receiverId: bob.user.id, limit: 100, page };
      const { params } = await annsPhone.request("getlatestMessageDialog", request);
      rows.push(...params.data);
      if (params.data.length < 100) return rows.reverse();
    }
  }

  /** Expects each text to be stored once and received once, in stored order, by both other devices. */
  async function expectOnceEverywhere(contents: readonly string[]): Promise<void> {
    const rows = await history();
    const stored = rows.map(({ content }) => content);
    expect([...stored].sort()).toEqual([...contents].sort());
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_row, index) => index + 1));
    for (const device of [annsLaptop, bobsPhone]) {
      while (device.pushes().length < stored.length) await device.nextPush();
      await device.settle();
      expect(device.pushes().map(({ params }) => params.message)).toEqual(stored);
    }
  }

  test.each(["fast", "immediate"] as const)(
    "that restarts (%s) during sends: every send is answered, and 5 s later all are stored once",
    async (mode) => {
      const unknown = await expectNothingLost(async () => {
        await cluster.stop(mode);
        await cluster.start();
      });
      expect(unknown).toBeGreaterThan(0);
    },
    60_000,
  );

  test(`that freezes for ${pauseSeconds} s during sends: every send is answered and stored once`, async () => {
    const unknown = await expectNothingLost(async () => {
      await cluster.pause();
      const frozen = wait(pauseSeconds * 1000);
      expect((await fetch(`http://127.0.0.1:${server.port}/health/live`)).status).toBe(200);
      await frozen;
      cluster.resume();
    });
    // The server waits through a short freeze.
    if (pauseSeconds > 20) expect(unknown).toBeGreaterThan(0);
  }, 180_000);

  test("that freezes for good does not prevent a stop: pending sends are answered and sockets closed with 1012", async () => {
    const stopping = await ServerProcess.start({
      DATABASE_URL: cluster.url,
      JWT_SECRET: "for tests only, and long enough for them",
    });
    try {
      const device = await connect(stopping, ann.token);
      await device.settle();
      await cluster.pause();
      const login = post(stopping, "/auth/login", { email: "ann@example.test", password: "correct horse battery" });
      const receiverId = bob.user.id;
      const sends = Array.from({ length: 5 }, (_, n) =>
        device.exchange({ type: "privateMessage", params: { receiverId, content: `too late ${n}` } }, answerTimeoutMs),
      );
      const ended = stopping.stop("SIGTERM");
      for (const answer of await Promise.all(sends)) {
        expect(answer).toMatchObject({ code: "UNAVAILABLE", retryable: true });
      }
      expect(await device.closed).toMatchObject({ code: 1012 });
      await expect(login).rejects.toThrow();
      expect(await ended).toMatchObject({ code: 0, output: expect.not.stringContaining("not stopped in time") });
    } finally {
      cluster.resume();
      await stopping.stop("SIGKILL");
    }
  }, 120_000);

  test("that closes every connection is reconnected to, without an error to clients", async () => {
    const operator = new pg.Client({ connectionString: cluster.url });
    await operator.connect();
    await operator.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'messenger' AND pid <> pg_backend_pid()",
    );
    await operator.end();
    await server.waitForOutput(/database connections were lost and opened again|the database is unavailable/);
    await sendUntilStored("after the disconnect");
    await expectOnceEverywhere(["the first message", "after the disconnect"]);
  });

  test("that commits a message and loses the connection: the sender gets UNAVAILABLE, the others one push, and the retry is a duplicate", async () => {
    const cut = cutter.cutAt(sendStatement, "after");
    const before = await readServerMetrics();
    const answer = await send("in doubt");
    await cut;
    expect(answer).toMatchObject({ error: true, code: "UNAVAILABLE", retryable: true });
    for (const device of [annsLaptop, bobsPhone]) {
      while (device.pushes().at(-1)?.params.message !== "in doubt") await device.nextPush();
    }
    expect(await send("in doubt")).toMatchObject({
      success: true,
      params: { item: { message: "in doubt", seq: 2, duplicate: true } },
    });
    await sendUntilStored("after the loss");
    await expectOnceEverywhere(["the first message", "in doubt", "after the loss"]);
    const after = await readServerMetrics();
    for (const name of ["messenger_in_doubt_commits_total", "messenger_gap_reads_total"]) {
      expect(after.value(name)).toBeGreaterThan(before.value(name) ?? Number.NaN);
    }
  });

  test("that commits the end of a group and loses the connection: every member receives the end", async () => {
    const deleteGroup = async () => {
      const groupId = await createGroup(annsPhone, [bob.user]);
      const cut = cutter.cutAt("COMMIT", "after");
      const answer = await annsPhone.exchange({ type: "deleteGroup", params: { groupId } }, answerTimeoutMs);
      await cut;
      return { groupId, answer };
    };
    let { groupId, answer } = await deleteGroup();
    // Jobs commit transactions as well: the cut may have met one of them.
    while (answer.success) {
      for (const device of [annsLaptop, bobsPhone]) await device.nextPush("deleteGroup");
      ({ groupId, answer } = await deleteGroup());
    }
    expect(answer).toMatchObject({ error: true, code: "UNAVAILABLE", retryable: true });
    for (const device of [annsPhone, annsLaptop, bobsPhone]) {
      const { item } = (await device.nextPush("deleteGroup")).params;
      expect(item).toMatchObject({ groupId });
      expect(item.event).toEqual({ kind: "groupDeleted", byUserId: ann.user.id });
    }
  });

  test("that loses the connection before a message arrives: the sender gets UNAVAILABLE, nobody a push, and the retry is stored", async () => {
    const cut = cutter.cutAt(sendStatement, "before");
    const answer = await send("in doubt");
    await cut;
    expect(answer).toMatchObject({ error: true, code: "UNAVAILABLE", retryable: true });
    const again = await send("in doubt");
    expect(again).toMatchObject({ success: true, params: { item: { message: "in doubt", seq: 2 } } });
    expect(again.params.item).not.toHaveProperty("duplicate");
    await expectOnceEverywhere(["the first message", "in doubt"]);
  });
});
