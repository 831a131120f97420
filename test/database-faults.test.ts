import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import pg from "pg";
import { Cluster } from "./support/cluster.ts";
import { ConnectionCutter } from "./support/connection-cutter.ts";
import type { Device } from "./support/device.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";

/*
 * What people notice when the database restarts, freezes or hangs up on us: a send is answered, if need be with
 * "unknown, try again"; what was answered is there; what was sent again is there once; and everybody hears it once.
 */

/** How long PostgreSQL is frozen, in seconds. FAULT_PAUSE_SECONDS=30 for the long run. */
const pauseSeconds = Number(process.env.FAULT_PAUSE_SECONDS ?? 2);
/** What every send does, in a transaction of its own. */
const sendStatement = "send_messages";
/** How long after the database is back everything must work again, in milliseconds. */
const recoveryMs = 5000;
/** A frozen database is given up after a while, and so are those who wait behind it; in milliseconds. */
const answerMs = 60_000;

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
    });
  });

  afterAll(async () => {
    await server?.stop("SIGKILL");
    await cutter?.close();
    await cluster?.remove();
  });

  beforeEach(async () => {
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
    // The first message opens the dialog, in a transaction of its own.
    await annsPhone.request("privateMessage", { receiverId: bob.user.id, content: "the first message" });
  });

  afterEach(async () => {
    await Promise.all([annsPhone, annsLaptop, bobsPhone].map((device) => device.close()));
    expect(server.child.exitCode).toBeNull();
  });

  const send = (content: string) =>
    annsPhone.exchange(
      {
        type: "privateMessage",
        params: { receiverId: bob.user.id, content, clientMessageId: `client-id-of-${content}` },
      },
      answerMs,
    );

  /**
   * Sends again until it is stored, as the contract has it.
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
   * Lets a fault happen while several messages are always on their way, and looks at what became of each.
   * @returns how often the outcome of a send was unknown
   */
  async function expectNothingLost(fault: () => Promise<void>): Promise<number> {
    const contents: string[] = [];
    let backAt: number | undefined;
    let unknown = 0;
    const talk = async () => {
      while (!backAt) {
        const content = `message ${people} ${contents.length}`;
        contents.push(content);
        unknown += await sendUntilStored(content, () => (backAt ?? Number.POSITIVE_INFINITY) + recoveryMs);
      }
    };
    const talking = Promise.all(Array.from({ length: 5 }, talk));
    await annsPhone.settle();
    await fault();
    backAt = Date.now();
    await talking;
    await expectOnceEverywhere(["the first message", ...contents]);
    return unknown;
  }

  /** All that is stored in the dialog, the oldest first. */
  async function history(): Promise<{ seq: number; content: string }[]> {
    const rows: { seq: number; content: string }[] = [];
    for (let page = 1; ; page++) {
      const asked = { receiverId: bob.user.id, limit: 100, page };
      const { params } = await annsPhone.request("getlatestMessageDialog", asked);
      rows.push(...params.data);
      if (params.data.length < 100) return rows.reverse();
    }
  }

  /** Each of these is stored once, and both other devices have heard each of them once, in the order in which it is stored. */
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
    "restarted %s while people write, it answers every send, and 5 s later all of them are there once",
    async (mode) => {
      const unknown = await expectNothingLost(async () => {
        await cluster.stop(mode);
        await cluster.start();
      });
      expect(unknown).toBeGreaterThan(0);
    },
    60_000,
  );

  test(`frozen for ${pauseSeconds} s while people write, it answers every send, and all of them are there once`, async () => {
    const unknown = await expectNothingLost(async () => {
      await cluster.pause();
      const frozen = wait(pauseSeconds * 1000);
      expect((await fetch(`http://127.0.0.1:${server.port}/health/live`)).status).toBe(200);
      await frozen;
      cluster.resume();
    });
    // A short pause is waited for.
    if (pauseSeconds > 20) expect(unknown).toBeGreaterThan(0);
  }, 180_000);

  test("frozen for good, it does not keep the messenger from stopping: sends under way are answered, and everybody is told to come back", async () => {
    const stopping = await ServerProcess.start({
      DATABASE_URL: cluster.url,
      JWT_SECRET: "for tests only, and long enough for them",
    });
    try {
      const device = await connect(stopping, ann.token);
      await device.settle();
      await cluster.pause();
      const login = post(stopping, "/auth/login", { email: "ann@example.test", password: "correct horse battery" });
      const sends = Array.from({ length: 5 }, (_, n) =>
        device.exchange(
          { type: "privateMessage", params: { receiverId: bob.user.id, content: `too late ${n}` } },
          answerMs,
        ),
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

  test("that hangs up on every connection is connected to again, and nobody but the log hears of it", async () => {
    const operator = new pg.Client({ connectionString: cluster.url });
    await operator.connect();
    await operator.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'messenger' AND pid <> pg_backend_pid()",
    );
    await operator.end();
    await server.waitForOutput(/a connection to the database was lost/);
    await sendUntilStored("after it hung up");
    await expectOnceEverywhere(["the first message", "after it hung up"]);
  });

  test("cut off when a message is committed and the answer is not back, it says unknown, tells everybody else once, and calls the retry a duplicate", async () => {
    const cut = cutter.cutAt(sendStatement, "after");
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
    await sendUntilStored("after it");
    await expectOnceEverywhere(["the first message", "in doubt", "after it"]);
  });

  test("cut off when the end of a group is committed and the answer is not back, everybody in it hears of the end", async () => {
    const groupId = (await annsPhone.request("newGroup", { groupName: "short-lived" })).params.item.groupId ?? 0;
    await annsPhone.request("addUserInGroup", { groupId, userId: bob.user.id });
    const cut = cutter.cutAt("COMMIT", "after");
    const answer = await annsPhone.exchange({ type: "deleteGroup", params: { groupId } }, answerMs);
    await cut;
    expect(answer).toMatchObject({ error: true, code: "UNAVAILABLE", retryable: true });
    for (const device of [annsPhone, annsLaptop, bobsPhone]) {
      const { item } = (await device.nextPush("deleteGroup")).params;
      expect(item).toMatchObject({ groupId });
      expect(item.event).toEqual({ kind: "groupDeleted", byUserId: ann.user.id });
    }
  });

  test("cut off before it has heard of a message, it says unknown, tells nobody, and stores the retry", async () => {
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
