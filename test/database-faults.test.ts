import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import pg from "pg";
import { Cluster } from "./support/cluster.ts";
import { CommitCutter } from "./support/commit-cutter.ts";
import type { Device } from "./support/device.ts";
import { describeWithCluster } from "./support/found.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";

/*
 * What people notice when the database restarts, freezes or hangs up on us: a send is answered, if need be with
 * "unknown, try again"; what was answered is there; what was sent again is there once; and everybody hears it once.
 */

/** How long PostgreSQL is frozen, in seconds. FAULT_PAUSE_SECONDS=30 for the long run. */
const pauseSeconds = Number(process.env.FAULT_PAUSE_SECONDS ?? 2);
/** How long after the database is back everything must work again, in milliseconds. */
const recoveryMs = 5000;
/** A frozen database is given up after a while, and so are those who wait behind it; in milliseconds. */
const answerMs = 60_000;

describeWithCluster("a messenger whose PostgreSQL fails", () => {
  let cluster: Cluster;
  let cutter: CommitCutter;
  let server: ServerProcess;
  let ann: { user: { id: number }; token: string };
  let bob: typeof ann;
  let annsPhone: Device;
  let annsLaptop: Device;
  let bobsPhone: Device;
  let people = 0;

  beforeAll(async () => {
    cluster = await Cluster.make();
    await cluster.start();
    cutter = await CommitCutter.before(cluster.port);
    server = await ServerProcess.start({
      DATABASE_URL: `postgres://postgres@127.0.0.1:${cutter.port}/postgres`,
      JWT_SECRET: "for tests only, and long enough for them",
      RATE_LIMITS: "off",
    });
  });

  afterAll(async () => {
    await server?.end("SIGKILL");
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
    annsPhone.ask(
      {
        type: "privateMessage",
        params: { receiverId: bob.user.id, content, clientMessageId: `client-id-of-${content}` },
      },
      answerMs,
    );

  /** Sends again until it is stored, as the contract has it. */
  async function sendUntilStored(content: string, deadline: number): Promise<void> {
    for (;;) {
      const answer = await send(content);
      if (answer.success) return;
      expect(answer).toMatchObject({ code: "UNAVAILABLE", retryable: true });
      if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)}`);
      await wait(Math.min(answer.retryAfterMs ?? 100, 250));
    }
  }

  /** Sends a burst, lets the fault happen in the middle of it, and looks at what became of each message. */
  async function expectNothingLost(count: number, fault: () => Promise<void>): Promise<void> {
    const contents = Array.from({ length: count }, (_, number) => `message ${people} ${number}`);
    const answers = contents.map(send);
    await answers[Math.min(5, count - 1)];
    await fault();
    const backAt = Date.now();
    const unknown: string[] = [];
    for (const [number, content] of contents.entries()) {
      const answer = await answers[number];
      if (answer.success) continue;
      expect(answer).toMatchObject({ code: "UNAVAILABLE", retryable: true });
      unknown.push(content);
    }
    for (const content of unknown) await sendUntilStored(content, backAt + recoveryMs);
    await expectOnceEverywhere(["the first message", ...contents]);
  }

  /** Each of these is stored once, and both other devices have heard each of them once, in the order in which it is stored. */
  async function expectOnceEverywhere(contents: readonly string[]): Promise<void> {
    const { params } = await annsPhone.request("getlatestMessageDialog", {
      receiverId: bob.user.id,
      limit: 100,
      page: 1,
    });
    const stored = params.data.map(({ content }) => content).reverse();
    expect([...stored].sort()).toEqual([...contents].sort());
    expect(params.data.map(({ seq }) => seq).reverse()).toEqual(stored.map((_content, index) => index + 1));
    for (const device of [annsLaptop, bobsPhone]) {
      while (device.pushes().length < stored.length) await device.nextPush();
      await device.settle();
      expect(device.pushes().map(({ params }) => params.message)).toEqual(stored);
    }
  }

  test.each(["fast", "immediate"] as const)(
    "restarted %s in the middle of a burst, it answers every send, and 5 s later all of them are there once",
    async (mode) => {
      await expectNothingLost(90, async () => {
        await cluster.stop(mode);
        await cluster.start();
      });
    },
    60_000,
  );

  test(`frozen for ${pauseSeconds} s in the middle of a burst, it answers every send, and all of them are there once`, async () => {
    await expectNothingLost(30, async () => {
      await cluster.pause();
      const frozen = wait(pauseSeconds * 1000);
      expect((await fetch(`http://127.0.0.1:${server.port}/health/live`)).status).toBe(200);
      await frozen;
      cluster.resume();
    });
  }, 180_000);

  test("that hangs up on every connection is connected to again, and nobody but the log hears of it", async () => {
    const operator = new pg.Client({ connectionString: cluster.url });
    await operator.connect();
    await operator.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'messenger' AND pid <> pg_backend_pid()",
    );
    await operator.end();
    await server.says(/a connection to the database was lost/);
    await sendUntilStored("after it hung up", Date.now() + recoveryMs);
    await expectOnceEverywhere(["the first message", "after it hung up"]);
  });

  test("cut off when a commit has passed and its answer has not, it says unknown, tells everybody else once, and calls the retry a duplicate", async () => {
    const cut = cutter.cutAtCommit("after");
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
    await sendUntilStored("after it", Date.now() + recoveryMs);
    await expectOnceEverywhere(["the first message", "in doubt", "after it"]);
  });

  test("cut off before a commit has passed, it says unknown, tells nobody, and stores the retry", async () => {
    const cut = cutter.cutAtCommit("before");
    const answer = await send("in doubt");
    await cut;
    expect(answer).toMatchObject({ error: true, code: "UNAVAILABLE", retryable: true });
    const again = await send("in doubt");
    expect(again).toMatchObject({ success: true, params: { item: { message: "in doubt", seq: 2 } } });
    expect(again.params.item).not.toHaveProperty("duplicate");
    await expectOnceEverywhere(["the first message", "in doubt"]);
  });
});
