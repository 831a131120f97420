import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Cluster, freePort } from "./support/cluster.ts";
import type { Device } from "./support/device.ts";
import { describeWithProcesses } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";
import { TestRedis } from "./support/redis.ts";
import { createGroup, numbers, sendPrivately, sendToGroup } from "./support/scenes.ts";

/* Two server processes on one PostgreSQL and one Redis behave as one messenger. */

describeWithProcesses("two processes", () => {
  let cluster: Cluster;
  let redis: TestRedis;
  let one: ServerProcess;
  let two: ServerProcess;
  const others: ServerProcess[] = [];
  const devices: Device[] = [];
  let people = 0;

  const start = (settings: Record<string, string> = {}) =>
    ServerProcess.start({
      DATABASE_URL: cluster.url,
      REDIS_URL: redis.url,
      JWT_SECRET: "for tests only, and long enough for them",
      RATE_LIMITS: "off",
      ...settings,
    });

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
    redis = await TestRedis.start();
    [one, two] = await Promise.all([start(), start()]);
  }, 60_000);

  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.close()));
    await Promise.all(others.splice(0).map((server) => server.stop("SIGKILL")));
  });

  afterAll(async () => {
    await Promise.all([one, two].map((server) => server?.stop("SIGKILL")));
    await redis?.kill();
    await cluster?.remove();
  });

  async function person() {
    const firstName = `Person${++people}`;
    const body = { email: `${firstName}@example.test`, password: "correct horse battery", firstName };
    const { user, token } = await post(one, "/auth/register", body);
    return { id: user.id, firstName, token, at: (server: ServerProcess) => open(server, token) };
  }

  async function open(server: ServerProcess, token: string): Promise<Device> {
    const device = await connect(server, token);
    devices.push(device);
    return device;
  }

  /** Two members of a group, each with a device on each process. */
  async function groupOfTwo() {
    const [ann, bob] = [await person(), await person()];
    const annAt = { one: await ann.at(one), two: await ann.at(two) };
    const bobAt = { one: await bob.at(one), two: await bob.at(two) };
    const groupId = await createGroup(annAt.one, [bob]);
    return { ann, bob, annAt, bobAt, groupId };
  }

  /** The versions of a group's messages that a device received, by answers and pushes, in order. */
  const receivedVersions = (device: Device, groupId: number): number[] =>
    device.frames
      .map(({ params }) => params?.item)
      .filter((item) => item?.groupId === groupId && !item.notification)
      .map(({ version }) => version);

  async function sendMany(device: Device, groupId: number, count: number): Promise<void> {
    for (const n of numbers(1, count)) await sendToGroup(device, groupId, `${n}`);
  }

  async function waitForText(device: Device, text: string): Promise<void> {
    for (;;) {
      const { params } = await device.nextPush("messageInGroup");
      if (params.message === text) return;
    }
  }

  test("concurrent sends on both are received once and in the same order by every device of either", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const all = [annAt.one, annAt.two, bobAt.one, bobAt.two];
    await Promise.all(all.map((device) => sendMany(device, groupId, 50)));
    await sendToGroup(annAt.two, groupId, "the last");
    await Promise.all([annAt.one, bobAt.one, bobAt.two].map((device) => waitForText(device, "the last")));
    for (const device of all) expect(receivedVersions(device, groupId)).toEqual(numbers(3, 203));
  });

  test("a conversation across both does not wait for the polling of the database", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const startedAt = performance.now();
    for (let turn = 1; turn <= 20; turn++) {
      const [sender, receiver] = turn % 2 === 0 ? [annAt.one, bobAt.two] : [bobAt.two, annAt.one];
      await sendToGroup(sender, groupId, `turn ${turn}`);
      await waitForText(receiver, `turn ${turn}`);
    }
    // Polling only finds changes older than half a second: without the bus this takes ten seconds or more.
    expect(performance.now() - startedAt).toBeLessThan(8000);
  });

  test("a log-out on one closes the sockets on the other", async () => {
    const ann = await person();
    const device = await ann.at(two);
    const { status } = await fetch(`http://127.0.0.1:${one.port}/auth/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${ann.token}` },
    });
    expect(status).toBe(204);
    expect(await device.closed).toMatchObject({ code: 4401 });
  });

  test("typing and read positions are pushed by the other", async () => {
    const [ann, bob] = [await person(), await person()];
    const [annAtOne, annAtTwo, bobAtTwo] = [await ann.at(one), await ann.at(two), await bob.at(two)];
    const { chatId } = await sendPrivately(annAtOne, bob.id, "Hi");
    await bobAtTwo.nextPush("privateMessage");
    await annAtOne.request("typing", { chatId });
    expect((await bobAtTwo.nextPush("typing")).params.item).toMatchObject({ chatId, userId: ann.id });
    await bobAtTwo.request("markRead", { chatId, seq: 1 });
    expect((await annAtOne.nextPush("markRead")).params.item).toMatchObject({ chatId, userId: bob.id, readSeq: 1 });
    await annAtOne.request("clearDialog", { receiverId: bob.id });
    expect((await annAtTwo.nextPush("clearDialog")).params.item).toMatchObject({ chatId, clearedSeq: 1 });
  });

  test("users connected to the other process are online, also for a process that has just started", async () => {
    const [ann, bob] = [await person(), await person()];
    const bobAtOne = await bob.at(one);
    await sendPrivately(bobAtOne, ann.id, "Are you there?");
    const { data: before } = (await bobAtOne.request("watchPresence", { userIds: [ann.id] })).params;
    expect(before).toMatchObject([{ userId: ann.id, online: false }]);
    await ann.at(two);
    expect((await bobAtOne.nextPush("presence")).params.item).toMatchObject({ userId: ann.id, online: true });

    const third = await start();
    others.push(third);
    const bobAtThree = await bob.at(third);
    const { data } = (await bobAtThree.request("watchPresence", { userIds: [ann.id] })).params;
    const isOnline = data[0]?.online || (await bobAtThree.nextPush("presence")).params.item;
    expect(isOnline).toBeTruthy();
  });

  test("a block on one makes both users offline for watchers on the other", async () => {
    const [ann, bob] = [await person(), await person()];
    const [annAtOne, bobAtTwo] = [await ann.at(one), await bob.at(two)];
    await sendPrivately(annAtOne, bob.id, "Hi");
    const { data } = (await bobAtTwo.request("watchPresence", { userIds: [ann.id] })).params;
    if (!data[0]?.online) await bobAtTwo.nextPush("presence");
    const { status } = await fetch(`http://127.0.0.1:${one.port}/users/me/blocks/${bob.id}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${ann.token}` },
    });
    expect(status).toBe(204);
    const item = { userId: ann.id, online: false, lastSeenAt: null };
    expect((await bobAtTwo.nextPush("presence")).params.item).toEqual(item);
  });

  test("no message is lost when Redis is killed and started again meanwhile", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const all = [annAt.one, annAt.two, bobAt.one, bobAt.two];
    const sending = Promise.all(all.map((device) => sendMany(device, groupId, 75)));
    await redis.kill();
    await redis.start();
    await sending;
    await redis.kill();
    await sendToGroup(annAt.one, groupId, "sent without Redis");
    await Promise.all([bobAt.one, bobAt.two, annAt.two].map((device) => waitForText(device, "sent without Redis")));
    for (const device of all) expect(receivedVersions(device, groupId)).toEqual(numbers(3, 303));
    await redis.start();
  });

  test("an edit that was not published on the bus is found by polling", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const { messageId } = await sendToGroup(annAt.one, groupId, "with a mistkae");
    await waitForText(bobAt.two, "with a mistkae");
    await redis.kill();
    await annAt.one.request("editMessage", { messageId, content: "without a mistake" });
    expect((await bobAt.two.nextPush("editMessage")).params.message).toBe("without a mistake");
    await redis.start();
  });

  test("the end of a group that was not published on the bus is pushed to all its members", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    await redis.kill();
    await annAt.one.request("deleteGroup", { groupId });
    for (const device of [annAt.two, bobAt.one, bobAt.two]) {
      expect((await device.nextPush("deleteGroup")).params.item).toMatchObject({ groupId });
    }
    await redis.start();
  });

  test("a process whose Redis is away starts, serves and finds all changes by polling", async () => {
    const withoutRedis = await start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    others.push(withoutRedis);
    expect((await fetch(`http://127.0.0.1:${withoutRedis.port}/health/ready`)).status).toBe(200);
    expect(withoutRedis.output).toContain("continuing without it");
    const { ann, annAt, groupId } = await groupOfTwo();
    const annWithoutRedis = await ann.at(withoutRedis);
    await sendToGroup(annAt.two, groupId, "Is anybody there?");
    await waitForText(annWithoutRedis, "Is anybody there?");
  });
});
