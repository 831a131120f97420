import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Cluster, freePort } from "./support/cluster.ts";
import type { Device } from "./support/device.ts";
import { describeWithProcesses } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";
import { TestRedis } from "./support/redis.ts";

/* Two server processes on one PostgreSQL and one Redis are one messenger. */

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

  /** Two people of one group, each with a device at each process. */
  async function groupOfTwo() {
    const [ann, bob] = [await person(), await person()];
    const annAt = { one: await ann.at(one), two: await ann.at(two) };
    const bobAt = { one: await bob.at(one), two: await bob.at(two) };
    const { item } = (await annAt.one.request("newGroup", { groupName: "readers" })).params;
    const groupId = item.groupId ?? 0;
    await annAt.one.request("addUserInGroup", { groupId, userId: bob.id });
    return { ann, bob, annAt, bobAt, groupId };
  }

  /** The versions of a group's messages that a device was told, by answers and pushes, in the order in which they came. */
  const toldOf = (device: Device, groupId: number): number[] =>
    device.frames
      .map(({ params }) => params?.item)
      .filter((item) => item?.groupId === groupId && !item.notification)
      .map(({ version }) => version);

  async function say(device: Device, groupId: number, times: number): Promise<void> {
    for (let time = 1; time <= times; time++) await device.request("messageInGroup", { groupId, content: `${time}` });
  }

  const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

  async function hearsTheLast(device: Device, text: string): Promise<void> {
    for (;;) {
      const { params } = await device.nextPush("messageInGroup");
      if (params.message === text) return;
    }
  }

  test("both write at the same time, and every device at either hears every message once and in the same order", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const all = [annAt.one, annAt.two, bobAt.one, bobAt.two];
    await Promise.all(all.map((device) => say(device, groupId, 50)));
    await annAt.two.request("messageInGroup", { groupId, content: "the last" });
    await Promise.all([annAt.one, bobAt.one, bobAt.two].map((device) => hearsTheLast(device, "the last")));
    for (const device of all) expect(toldOf(device, groupId)).toEqual(upTo(203).slice(2));
  });

  test("a conversation across both does not wait for looks at the database, of which there is one a second", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const startedAt = performance.now();
    for (let turn = 1; turn <= 20; turn++) {
      const [speaker, hearer] = turn % 2 === 0 ? [annAt.one, bobAt.two] : [bobAt.two, annAt.one];
      await speaker.request("messageInGroup", { groupId, content: `turn ${turn}` });
      await hearsTheLast(hearer, `turn ${turn}`);
    }
    // A look tells only what is half a second old: without hints this takes ten seconds at the least.
    expect(performance.now() - startedAt).toBeLessThan(8000);
  });

  test("a log-out at one closes the sockets at the other", async () => {
    const ann = await person();
    const device = await ann.at(two);
    const { status } = await fetch(`http://127.0.0.1:${one.port}/auth/logout`, {
      method: "POST",
      headers: { authorization: `Bearer ${ann.token}` },
    });
    expect(status).toBe(204);
    expect(await device.closed).toMatchObject({ code: 4401 });
  });

  test("who types and what was read is told at the other", async () => {
    const [ann, bob] = [await person(), await person()];
    const [annAtOne, annAtTwo, bobAtTwo] = [await ann.at(one), await ann.at(two), await bob.at(two)];
    const sent = await annAtOne.request("privateMessage", { receiverId: bob.id, content: "Hi" });
    const { chatId } = sent.params.item;
    await bobAtTwo.nextPush("privateMessage");
    await annAtOne.request("typing", { chatId });
    expect((await bobAtTwo.nextPush("typing")).params.item).toMatchObject({ chatId, userId: ann.id });
    await bobAtTwo.request("markRead", { chatId, seq: 1 });
    expect((await annAtOne.nextPush("markRead")).params.item).toMatchObject({ chatId, userId: bob.id, readSeq: 1 });
    await annAtOne.request("clearDialog", { receiverId: bob.id });
    expect((await annAtTwo.nextPush("clearDialog")).params.item).toMatchObject({ chatId, clearedSeq: 1 });
  });

  test("who is connected to the other process is online, also for a process that has just started", async () => {
    const [ann, bob] = [await person(), await person()];
    const bobAtOne = await bob.at(one);
    await bobAtOne.request("privateMessage", { receiverId: ann.id, content: "Are you there?" });
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

  test("a block at one takes back at the other what its watchers saw", async () => {
    const [ann, bob] = [await person(), await person()];
    const [annAtOne, bobAtTwo] = [await ann.at(one), await bob.at(two)];
    await annAtOne.request("privateMessage", { receiverId: bob.id, content: "Hi" });
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

  test("a Redis that is killed and started again in the middle of it all costs nobody a message", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const all = [annAt.one, annAt.two, bobAt.one, bobAt.two];
    const saying = Promise.all(all.map((device) => say(device, groupId, 75)));
    await redis.kill();
    await redis.start();
    await saying;
    await redis.kill();
    await annAt.one.request("messageInGroup", { groupId, content: "without Redis" });
    await Promise.all([bobAt.one, bobAt.two, annAt.two].map((device) => hearsTheLast(device, "without Redis")));
    for (const device of all) expect(toldOf(device, groupId)).toEqual(upTo(303).slice(2));
    await redis.start();
  });

  test("an edit that no hint told of is found, too", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    const { item } = (await annAt.one.request("messageInGroup", { groupId, content: "with a mistkae" })).params;
    await hearsTheLast(bobAt.two, "with a mistkae");
    await redis.kill();
    await annAt.one.request("editMessage", { messageId: item.messageId, content: "without a mistake" });
    expect((await bobAt.two.nextPush("editMessage")).params.message).toBe("without a mistake");
    await redis.start();
  });

  test("the end of a group that no hint told of is told to everybody who was in it", async () => {
    const { annAt, bobAt, groupId } = await groupOfTwo();
    await redis.kill();
    await annAt.one.request("deleteGroup", { groupId });
    for (const device of [annAt.two, bobAt.one, bobAt.two]) {
      expect((await device.nextPush("deleteGroup")).params.item).toMatchObject({ groupId });
    }
    await redis.start();
  });

  test("without a Redis a process starts and serves, and still hears of everything", async () => {
    const lonely = await start({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` });
    others.push(lonely);
    expect((await fetch(`http://127.0.0.1:${lonely.port}/health/ready`)).status).toBe(200);
    expect(lonely.output).toContain("going on without it");
    const { ann, annAt, groupId } = await groupOfTwo();
    const annAtLonely = await ann.at(lonely);
    await annAt.two.request("messageInGroup", { groupId, content: "Does anybody hear?" });
    await hearsTheLast(annAtLonely, "Does anybody hear?");
  });
});
