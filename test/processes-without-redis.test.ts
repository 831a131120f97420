import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { Cluster } from "./support/cluster.ts";
import type { Device } from "./support/device.ts";
import { onDatabase } from "./support/on-database.ts";
import { describeWithCluster } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, post } from "./support/processes.ts";
import { createGroup, numbers, sendToGroup } from "./support/scenes.ts";

/* Several processes on one database without Redis: a configuration that is slow, and says so. */

const warning = /2 processes poll the database for each other's changes.*set the same REDIS_URL/g;

describeWithCluster("two processes without Redis", () => {
  let cluster: Cluster;
  let databases = 0;
  const running: ServerProcess[] = [];
  const devices: Device[] = [];

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
  });

  afterEach(async () => {
    await Promise.all(devices.splice(0).map((device) => device.close()));
    await Promise.all(running.splice(0).map((server) => server.stop("SIGKILL")));
  });

  afterAll(() => cluster?.remove());

  async function freshDatabase(): Promise<string> {
    const name = `shared${++databases}`;
    await onDatabase(cluster.url, (client) => client.query(`CREATE DATABASE ${name}`));
    return cluster.url.replace(/postgres$/, name);
  }

  async function start(url: string): Promise<ServerProcess> {
    const server = await ServerProcess.start({
      DATABASE_URL: url,
      JWT_SECRET: "for tests only, and long enough for them",
      RATE_LIMITS: "off",
    });
    running.push(server);
    return server;
  }

  async function person(server: ServerProcess, firstName: string) {
    const body = { email: `${firstName}@example.test`, password: "correct horse battery", firstName };
    const { user, token } = await post(server, "/auth/register", body);
    return { id: user.id, token, firstName };
  }

  async function open(server: ServerProcess, token: string): Promise<Device> {
    const device = await connect(server, token);
    devices.push(device);
    return device;
  }

  const bus = async (server: ServerProcess): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/health/ready`);
    expect(response.status).toBe(200);
    return ((await response.json()) as { checks: { bus: string } }).checks.bus;
  };

  test("push each other's changes, from the first one after the start of the second, once and in order", async () => {
    const url = await freshDatabase();
    const one = await start(url);
    const [ann, bob] = [await person(one, "ann"), await person(one, "bob")];
    const annsPhone = await open(one, ann.token);
    const groupId = await createGroup(annsPhone, [bob]);
    const two = await start(url);
    const bobsPhone = await open(two, bob.token);
    for (const n of numbers(1, 5)) {
      await sendToGroup(annsPhone, groupId, `${n}`);
      expect((await bobsPhone.nextPush("messageInGroup")).params.message).toBe(`${n}`);
    }
    await sendToGroup(bobsPhone, groupId, "6");
    while ((await annsPhone.nextPush("messageInGroup")).params.message !== "6");
  });

  test("push each other's changes of personal state", async () => {
    const url = await freshDatabase();
    const [one, two] = [await start(url), await start(url)];
    const ann = await person(one, "ann");
    const [phone, laptop] = [await open(one, ann.token), await open(two, ann.token)];
    for (const n of numbers(1, 3)) {
      await phone.request("setState", { key: "preferences", value: n });
      expect((await laptop.nextPush("setState")).params.item).toEqual({
        stateVersion: n,
        key: "preferences",
        value: n,
      });
    }
  });

  test("close the sockets of an account that another process suspends, within two seconds", async () => {
    const url = await freshDatabase();
    const one = await start(url);
    const [ann, bob] = [await person(one, "ann"), await person(one, "bob")];
    await onDatabase(url, (client) => client.query(`UPDATE users SET role = 'admin' WHERE id = ${ann.id}`));
    const two = await start(url);
    const bobsPhone = await open(two, bob.token);
    const response = await fetch(`http://127.0.0.1:${one.port}/admin/users/${bob.id}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${ann.token}`, "content-type": "application/json" },
      body: JSON.stringify({ suspended: true }),
    });
    const suspendedAt = performance.now();
    expect(response.status).toBe(200);
    expect(await bobsPhone.closed).toMatchObject({ code: 4401 });
    expect(performance.now() - suspendedAt).toBeLessThan(2000);
    await expect(connect(two, bob.token)).rejects.toThrow("401");
  });

  test("count their sockets together", async () => {
    const url = await freshDatabase();
    const [one, two] = [await start(url), await start(url)];
    const ann = await person(one, "ann");
    await onDatabase(url, (client) => client.query("UPDATE users SET role = 'admin'"));
    for (const server of [one, two, two]) await open(server, ann.token);
    const sockets = async () => {
      const headers = { authorization: `Bearer ${ann.token}` };
      const response = await fetch(`http://127.0.0.1:${one.port}/admin/stats`, { headers });
      return ((await response.json()) as { sockets: number }).sockets;
    };
    for (let attempt = 0; (await sockets()) !== 3; attempt++) expect(attempt).toBeLessThan(10_000);
  });

  test("say so in one line each and in the readiness check, and when they are alone again", async () => {
    const url = await freshDatabase();
    const one = await start(url);
    expect(await bus(one)).toBe("ok");
    const two = await start(url);
    await Promise.all([one, two].map((server) => server.waitForOutput(warning)));
    for (const server of [one, two]) expect(await bus(server)).toBe("without a common Redis");

    expect(await two.stop("SIGTERM")).toMatchObject({ code: 0 });
    await one.waitForOutput(/no process without Redis shares the database any more/);
    expect(await bus(one)).toBe("ok");
    expect(one.output.match(warning)).toHaveLength(1);
  });

  test("of which one was killed: its successor is alone, and says nothing", async () => {
    const url = await freshDatabase();
    await (await start(url)).stop("SIGKILL");
    const next = await start(url);
    const rows = () => onDatabase(url, (client) => client.query("SELECT seen_at FROM server_processes"));
    // Until the successor has reported itself three times.
    const seen = new Set<string>();
    const deadline = performance.now() + 20_000;
    while (seen.size < 4) {
      for (const { seen_at: at } of (await rows()).rows) seen.add(String(at.getTime()));
      if (performance.now() > deadline) throw new Error("the process did not report itself");
    }
    expect(next.output).not.toMatch(/processes poll/);
  });
});
