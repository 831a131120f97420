import { stat } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { account, connect, post, register, useProcesses } from "./support/processes.ts";
import { openAndSend, readToEnd } from "./support/raw-http.ts";

/* The server as operators run it: a process that is started, stopped and killed. */

const processes = useProcesses();
const JWT_SECRET = "for tests only, and long enough for them";

describe("a server process", () => {
  test("a restart keeps accounts, tokens and messages, and the generated secret is readable by its owner only", async () => {
    const first = await processes.start();
    const { mode } = await stat(`${processes.dataDir}/jwt-secret`);
    expect(mode & 0o777).toBe(0o600);
    const { user, token } = await register(first);
    const before = await connect(first, token);
    await before.request("privateMessage", { receiverId: user.id, content: "still here?" });
    const { code, output } = await first.stop("SIGTERM");
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining("stopped") });
    expect(await before.closed).toMatchObject({ code: 1012 });

    const second = await processes.start();
    const after = await connect(second, token);
    const { params } = await after.request("getlatestMessageDialog", { receiverId: user.id, limit: 5, page: 1 });
    expect(params.data).toMatchObject([{ content: "still here?" }]);
    await post(second, "/auth/login", { email: account.email, password: account.password });
  });

  test("repeated kill -9 between messages leaves every acknowledged message stored exactly once", async () => {
    const acknowledged: string[] = [];
    let server = await processes.start();
    const { user, token } = await register(server);
    for (let round = 1; round <= 2; round++) {
      const device = await connect(server, token);
      for (let count = 0; count < 25; count++) {
        device.send({
          type: "privateMessage",
          params: { receiverId: user.id, content: `${round}.${count}`, clientMessageId: `message-${round}-${count}` },
          requestId: `${round}.${count}`,
        });
      }
      await device.exchange({ type: "listLastMessage", params: { limit: 1, page: 1 } });
      for (let count = 25; count < 50; count++) {
        device.send({
          type: "privateMessage",
          params: { receiverId: user.id, content: `${round}.${count}` },
          requestId: `${round}.${count}`,
        });
      }
      await server.stop("SIGKILL");
      await device.closed;
      for (const frame of device.frames)
        if (frame.success && frame.params.item) acknowledged.push(frame.params.item.message);
      server = await processes.start();
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(50);

    const device = await connect(server, token);
    const stored: { content: string; seq: number }[] = [];
    for (let page = 1; ; page++) {
      const { params } = await device.request("getlatestMessageDialog", { receiverId: user.id, limit: 100, page });
      stored.push(...params.data);
      if (params.data.length < 100) break;
    }
    expect(new Set(stored.map(({ content }) => content)).size).toBe(stored.length);
    expect(stored.map(({ content }) => content)).toEqual(expect.arrayContaining(acknowledged));
    expect(stored.map(({ seq }) => seq).reverse()).toEqual(stored.map((_row, index) => index + 1));
  });

  test("SIGTERM during sends answers each of them and closes the socket with 1012", async () => {
    const server = await processes.start();
    const { user, token } = await register(server);
    const device = await connect(server, token);
    for (let count = 0; count < 20; count++) {
      device.send({ type: "privateMessage", params: { receiverId: user.id, content: `${count}` } });
    }
    await device.exchange({ type: "listLastMessage", params: { limit: 1, page: 1 } });
    for (let count = 20; count < 30; count++) {
      device.send({ type: "privateMessage", params: { receiverId: user.id, content: `${count}` } });
    }
    const { code } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(await device.closed).toMatchObject({ code: 1012 });

    const again = await connect(await processes.start(), token);
    const { params } = await again.request("getlatestMessageDialog", { receiverId: user.id, limit: 100, page: 1 });
    const answered = device.frames
      .filter(({ type }) => type === "privateMessage")
      .map((frame) => frame.params.item.message);
    expect(params.data.map(({ content }) => content).reverse()).toEqual(answered);
  });

  test.each([
    ["a rejected promise", "Promise.reject(new Error('not caught'))"],
    ["an error in a callback", "setImmediate(() => { throw new Error('not caught') })"],
  ])(
    "%s that is not caught is logged in one line, requests in progress are answered, and the process exits with 1",
    async (_what, fault) => {
      const script = `process.on("SIGUSR2", () => { ${fault} })`;
      const server = await processes.start(
        { NODE_ENV: "production", HOST: "127.0.0.1", BCRYPT_COST: "10", JWT_SECRET },
        ["--import", `data:text/javascript,${encodeURIComponent(script)}`],
      );
      const { user, token } = await register(server);
      const device = await connect(server, token);
      const sent = device.exchange({
        type: "privateMessage",
        params: { receiverId: user.id, content: "before the end" },
      });
      await device.settle();
      const before = server.output.length;
      const { code, output } = await server.stop("SIGUSR2");
      expect(await sent).toMatchObject({ success: true });
      expect(await device.closed).toMatchObject({ code: 1012 });
      expect(code).toBe(1);
      const lines = output.slice(before).trim().split("\n");
      expect(lines).toHaveLength(1);
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({
        level: "fatal",
        err: { message: "not caught" },
        msg: "uncaught exception, shutting down",
      });
    },
  );

  test("connections over MAX_CONNECTIONS are closed and logged once, existing ones continue", async () => {
    const server = await processes.start({ MAX_CONNECTIONS: "20" });
    const { token } = await register(server);
    const device = await connect(server, token);
    const sockets = [];
    for (let n = 0; n < 30; n++) sockets.push(await openAndSend(server.port, ""));
    expect(await readToEnd(sockets.at(-1) as Socket)).toBe("");
    await device.settle();
    for (const socket of sockets) socket.destroy();
    const { output } = await server.stop("SIGTERM");
    expect(output.match(/connections are rejected/g)).toHaveLength(1);
  });

  test("a connection that cannot be accepted because file descriptors are exhausted affects no other", async () => {
    const script = `import { Server } from "node:http";
      const { listen } = Server.prototype;
      Server.prototype.listen = function (...given) {
        process.on("SIGUSR2", () => this.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" })));
        return listen.apply(this, given);
      };`;
    const server = await processes.start({}, ["--import", `data:text/javascript,${encodeURIComponent(script)}`]);
    const { token } = await register(server);
    const device = await connect(server, token);
    server.child.kill("SIGUSR2");
    await server.waitForOutput(/a connection could not be accepted/);
    await device.settle();
    expect(await server.stop("SIGTERM")).toMatchObject({ code: 0, output: expect.stringContaining("EMFILE") });
  });

  test("a port in use fails the start with one line that tells what to do", async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port)),
    );
    const { code, output } = await processes.spawn({ PORT: String(port) }).exited;
    taken.close();
    expect(code).toBe(1);
    expect(output.trim()).toBe(
      `Port ${port} of 127.0.0.1 cannot be used: it is in use. Set PORT to another one, or to 0 for a free one.`,
    );
  });

  test("invalid settings in production fail the start with one line and no stack", async () => {
    const { code, output } = await processes.spawn({ NODE_ENV: "production" }).exited;
    expect(code).toBe(1);
    expect(output.trim()).toBe("JWT_SECRET is required in production; make one with: openssl rand -base64 48");
  });
});
