import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Cluster, freePort } from "./support/cluster.ts";
import { Device } from "./support/device.ts";
import { describeWithCaddy, describeWithNginx } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { TestProxy } from "./support/proxies.ts";
import { TestRedis } from "./support/redis.ts";
import { numbers } from "./support/scenes.ts";

/* Three processes behind a proxy with the sample files of docs/operations, with TLS. */

describeWithNginx("three processes behind nginx", () => testsBehind((options) => TestProxy.startNginx(options)));

describeWithCaddy("three processes behind Caddy", () => testsBehind((options) => TestProxy.startCaddy(options)));

function testsBehind(startProxy: typeof TestProxy.startNginx): void {
  let cluster: Cluster;
  let redis: TestRedis;
  let proxy: TestProxy;
  let ports: number[];
  let dataDir: string;
  const servers: ServerProcess[] = [];

  const startServer = (port: number) =>
    ServerProcess.start({
      DATABASE_URL: cluster.url,
      REDIS_URL: redis.url,
      DATA_DIR: dataDir,
      JWT_SECRET: "for tests only, and long enough for them",
      PORT: String(port),
      TRUSTED_PROXY_HOPS: "1",
      PUBLIC_URL: "https://chat.example.org",
    });

  beforeAll(async () => {
    cluster = await Cluster.create();
    await cluster.start();
    redis = await TestRedis.start();
    dataDir = await mkdtemp(join(tmpdir(), "messenger-files-"));
    ports = [await freePort(), await freePort(), await freePort()];
    servers.push(...(await Promise.all(ports.map(startServer))));
    proxy = await startProxy({ upstreams: ports });
    while ((await proxy.request("GET", "/health/ready")).status !== 200);
  }, 60_000);

  afterAll(async () => {
    await proxy?.stop();
    await Promise.all(servers.map((server) => server.stop("SIGKILL")));
    await redis?.kill();
    await cluster?.remove();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function register(firstName: string, headers: Record<string, string> = {}) {
    const body = { email: `${firstName.toLowerCase()}@example.test`, password: "correct horse battery", firstName };
    const answer = await proxy.request("POST", "/auth/register", { body, headers });
    expect(answer.status).toBe(201);
    const { user, token } = JSON.parse(answer.body);
    return { id: Number(user.id), token: String(token) };
  }

  const connect = (token: string) => {
    const { headers, ...address } = proxy.address;
    return Device.connect(`wss://127.0.0.1:${proxy.port}`, {
      ...address,
      headers: { ...headers, authorization: `Bearer ${token}`, origin: `https://${headers.host}` },
    });
  };

  test("people register, connect from the page of the proxy's host, and write to each other", async () => {
    const forged = { "x-forwarded-for": "203.0.113.9" };
    const [ann, bob] = [await register("Ann", forged), await register("Bob")];
    const [annsDevice, bobsDevice] = [await connect(ann.token), await connect(bob.token)];
    await annsDevice.request("privateMessage", { receiverId: bob.id, content: "Hi Bob" });
    expect((await bobsDevice.nextPush("privateMessage")).params).toMatchObject({ message: "Hi Bob" });
    await Promise.all([annsDevice, bobsDevice].map((device) => device.close()));
    const output = servers.map((server) => server.output).join("");
    expect(output).toMatch(/\/auth\/register/);
    expect(output).not.toContain("203.0.113.9");
  });

  test("http is redirected, https is required from then on, and the log has no tokens", async () => {
    const { status, headers } = await fetch(`http://127.0.0.1:${proxy.httpPort}/chats`, {
      headers: { host: "chat.example.org" },
      redirect: "manual",
    });
    expect([301, 308]).toContain(status);
    expect(headers.get("location")).toMatch(/^https:\/\/.*\/chats$/);
    const answer = await proxy.request("GET", "/invites/a-token-of-an-invitation");
    expect(answer.headers).toMatchObject({ "strict-transport-security": "max-age=31536000" });
    await proxy.request("GET", "/users?search=a-name-of-somebody", { token: "a-token-of-a-session" });
    await expect(connect("a-token-of-a-session")).rejects.toThrow("401");
    let log = "";
    while (!log.includes("/users")) log = await proxy.accessLog();
    expect(log).toContain("/invites/");
    expect(log).not.toMatch(/a-token-of|a-name-of/);
  });

  /** Begins a request with a body of so many bytes. */
  const startBody = (method: string, path: string, options: { token: string; bytes: number }) => {
    const { headers, ...address } = proxy.address;
    const authorization = `Bearer ${options.token}`;
    return request({
      ...address,
      method,
      path,
      agent: false,
      headers: { ...headers, authorization, "content-length": options.bytes },
    });
  };

  test("a file is received while it is sent, and read through any process; other bodies may not be as large", async () => {
    const { token } = await register("Eve");
    const content = randomBytes(7 * 1024 ** 2);
    const half = content.length / 2;
    const announced = await proxy.request("POST", "/files", { token, body: { name: "plan", size: content.length } });
    const { fileId, uploadUrl } = JSON.parse(announced.body);

    const upload = startBody("PUT", uploadUrl, { token, bytes: content.length });
    upload.write(content.subarray(0, half));
    const incoming = join(dataDir, "files/incoming");
    const isReceived = async () => (await readdir(incoming).catch(() => [])).length > 0;
    for (let tries = 0; tries < 500 && !(await isReceived()); tries++) await wait(10);
    expect(await isReceived()).toBe(true);
    upload.end(content.subarray(half));
    const [uploaded] = (await once(upload, "response")) as [IncomingMessage];
    uploaded.resume();
    expect(uploaded.statusCode).toBe(200);
    for (const _ of ports) {
      const { status, headers } = await proxy.request("GET", `/files/${fileId}`, { token });
      expect({ status, size: headers["content-length"] }).toEqual({ status: 200, size: String(content.length) });
    }

    const refused = startBody("PUT", "/users/me/avatar", { token, bytes: content.length });
    refused.flushHeaders();
    const [response] = (await once(refused, "response")) as [IncomingMessage];
    response.resume();
    refused.destroy();
    expect(response.statusCode).toBe(413);
  });

  test("a rolling restart loses nothing and answers no request with 502", async () => {
    const [cyd, dan] = [await register("Cyd"), await register("Dan")];
    let isRestarting = true;
    const statuses = new Set<number>();
    /** Sends as clients do: whatever was not acknowledged is sent again with the same id on the next socket. */
    let sent = 0;
    let chatId = 0;
    const sending = (async () => {
      let device: Device | undefined;
      while (isRestarting || sent < 20) {
        statuses.add((await proxy.request("GET", "/users/me", { token: cyd.token })).status);
        try {
          // It may have been closed during the request above.
          if (device?.socket.readyState !== device?.socket.OPEN) device = undefined;
          device ??= await connect(cyd.token);
          const params = { receiverId: dan.id, content: `${sent + 1}`, clientMessageId: `message-${sent + 1}` };
          chatId = (await device.request("privateMessage", params)).params.item?.chatId ?? chatId;
          sent++;
        } catch {
          device = undefined;
        }
      }
      await device?.close();
    })();

    for (const [index, port] of ports.entries()) {
      expect(await servers[index]?.stop("SIGTERM")).toMatchObject({ code: 0 });
      servers[index] = await startServer(port);
    }
    isRestarting = false;
    await sending;

    expect([...statuses]).toEqual([200]);
    const device = await connect(dan.token);
    const stored: string[] = [];
    for (let after = 0; stored.length < sent; ) {
      const { params } = await device.request("getMessages", { chatId, after, limit: 100 });
      if (params.data.length === 0) break;
      stored.push(...params.data.map(({ message }) => message));
      after = params.data.at(-1)?.seq ?? after;
    }
    await device.close();
    expect(stored).toEqual(numbers(1, sent).map(String));
  });
}
