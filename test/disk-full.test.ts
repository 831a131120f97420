import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { ContentMismatchError, IncomingFiles } from "../src/files/incoming-file.ts";
import { StorageFullError } from "../src/files/storage.ts";
import { Cluster, canCreateClusters } from "./support/cluster.ts";
import { makeDatabase, onServer, type TestDatabase } from "./support/databases.ts";
import { announce, download, putContent } from "./support/files.ts";
import { describeWithDisk } from "./support/prerequisites.ts";
import { ServerProcess } from "./support/process.ts";
import { connect, register } from "./support/processes.ts";
import { SmallDisk } from "./support/small-disk.ts";

/* The disk of the embedded database is full. */

/** Free space after the database has started, in bytes. */
const freeBytes = 256 * 1024;

(onServer ? describe.skip : describeWithDisk)("a messenger whose disk is full", () => {
  let disk: SmallDisk;
  let database: TestDatabase;
  const running: ServerProcess[] = [];

  beforeEach(async () => {
    disk = await SmallDisk.mount(256);
    database = await makeDatabase();
    await cp(database.settings.DATA_DIR, join(disk.folder, "data"), { recursive: true });
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop("SIGKILL")));
    await disk?.unmount();
    await database?.remove();
  });

  async function start(): Promise<ServerProcess> {
    const server = await ServerProcess.start({ DATA_DIR: join(disk.folder, "data"), RATE_LIMITS: "off" });
    running.push(server);
    return server;
  }

  test("rejects sends with UNAVAILABLE, stores them once there is space, and keeps all acknowledged ones after a restart", async () => {
    const server = await start();
    const { user, token } = await register(server);
    const device = await connect(server, token);
    await disk.fill(freeBytes);

    const acknowledged: string[] = [];
    const send = async (content: string) => {
      const params = { receiverId: user.id, content, clientMessageId: createHash("md5").update(content).digest("hex") };
      const answer = await device.exchange({ type: "privateMessage", params });
      if (answer.success) acknowledged.push(content);
      return answer;
    };
    const refused: string[] = [];
    for (let burst = 0; refused.length === 0 && burst < 500; burst++) {
      // Random, so that it cannot be compressed.
      const contents = Array.from({ length: 16 }, () => randomBytes(3000).toString("base64"));
      const answers = await Promise.all(contents.map(send));
      for (const [index, answer] of answers.entries()) {
        if (answer.success) continue;
        expect(answer).toMatchObject({ code: "UNAVAILABLE", retryable: true });
        refused.push(contents[index] ?? "");
      }
    }
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(refused.length).toBeGreaterThan(0);
    const ready = () => fetch(`http://127.0.0.1:${server.port}/health/ready`);
    const notReady = await ready();
    expect([notReady.status, await notReady.json()]).toMatchObject([
      503,
      { code: "UNAVAILABLE", checks: { server: "ok", database: "disk full" } },
    ]);
    await disk.clear();
    await server.waitForOutput(/the database is available again after/);
    expect((await ready()).status).toBe(200);
    for (const content of refused) expect(await send(content)).toMatchObject({ success: true });
    const { code, output } = await server.stop("SIGTERM");
    expect({ code, output }).toMatchObject({ code: 0, output: expect.not.stringMatching(/ERROR|FATAL/) });
    expect(output.match(/the database is unavailable: .*/g)).toEqual([expect.stringMatching(/No space left/)]);
    expect(output.match(/the database is available again/g)).toHaveLength(1);

    const after = await connect(await start(), token);
    const stored: string[] = [];
    for (let page = 1; stored.length < acknowledged.length; page++) {
      const { params } = await after.request("getlatestMessageDialog", { receiverId: user.id, limit: 100, page });
      if (params.data.length === 0) break;
      stored.unshift(...params.data.map(({ content }) => content).reverse());
    }
    expect(stored).toEqual(acknowledged);
  }, 60_000);

  test("rejects uploads with 507 while messages go on, keeps nothing of them, and takes them once there is space", async () => {
    const server = await start();
    const { user, token } = await register(server);
    const device = await connect(server, token);
    const content = randomBytes(24 * 1024 * 1024);
    const fileId = await announce(server, { token }, { size: content.length });
    const put = () => putContent(server, { token }, fileId, content);
    await disk.fill(content.length + 8 * 1024 * 1024);

    let isUploading = true;
    const uploads = (async () => [await put(), await put()])().finally(() => {
      isUploading = false;
    });
    // Random, so that it cannot be compressed.
    const send = () =>
      device.request("privateMessage", { receiverId: user.id, content: randomBytes(3000).toString("base64") });
    while (isUploading) await Promise.all([send(), send(), send()]);
    for (const { status, body } of await uploads) {
      expect([status, body]).toMatchObject([507, { code: "UNAVAILABLE", retryAfterMs: expect.any(Number) }]);
    }
    await send();
    const filesFolder = join(disk.folder, "data/files");
    for (const folder of ["incoming", "objects"]) {
      expect(await readdir(join(filesFolder, folder)).catch(() => [])).toEqual([]);
    }
    await disk.clear();
    expect((await put()).status).toBe(200);
    await device.request("privateMessage", { receiverId: user.id, content: "", fileIds: [fileId] });
    const read = await download(server, `/files/${fileId}`, { token });
    expect(read.content.equals(content)).toBe(true);
    const { output } = await server.stop("SIGTERM");
    expect(output.match(/there is (no )?space for files( again)?|the database is .*available.*/g)).toEqual([
      "there is no space for files",
      "there is space for files again",
    ]);
  }, 60_000);
});

describeWithDisk("a content whose disk becomes full while it arrives", () => {
  test.each([
    ["without any space for the rest", 0],
    ["with space for a part of the rest", 4096],
  ])("is refused and not kept, %s", async (_title, leftBytes) => {
    const disk = await SmallDisk.mount(80);
    try {
      const half = randomBytes(64 * 1024);
      async function* content() {
        yield half;
        await disk.fill(leftBytes);
        yield half;
      }
      await expect(new IncomingFiles(disk.folder).receive(content(), 2 * half.length)).rejects.toThrow(
        StorageFullError,
      );
      expect(await readdir(join(disk.folder, "incoming"))).toEqual([]);
    } finally {
      await disk.unmount();
    }
  });
});

describeWithDisk("contents that arrive at once", () => {
  test("are refused if they would not all fit, and accepted again after one has failed", async () => {
    const disk = await SmallDisk.mount(80);
    try {
      const incoming = new IncomingFiles(disk.folder);
      const part = randomBytes(1024 * 1024);
      const size = 10 * part.length;
      const events = new EventEmitter();
      async function* cutContent() {
        yield part;
        events.emit("written");
        await once(events, "cut");
      }
      async function* content() {
        for (let sent = 0; sent < size; sent += part.length) yield part;
      }
      const first = incoming.receive(cutContent(), size);
      first.catch(() => {});
      await once(events, "written");
      await expect(incoming.receive(content(), size)).rejects.toThrow(StorageFullError);
      events.emit("cut");
      await expect(first).rejects.toThrow(ContentMismatchError);
      await expect(incoming.receive(content(), size)).resolves.toMatchObject({ size });
    } finally {
      await disk.unmount();
    }
  });
});

describeWithDisk("a messenger on a PostgreSQL server whose disk is full", () => {
  let disk: SmallDisk;
  let cluster: Cluster | undefined;
  let server: ServerProcess | undefined;

  afterEach(async () => {
    await server?.stop("SIGKILL");
    await cluster?.remove();
    await disk?.unmount();
  });

  const onCluster = canCreateClusters ? test : test.skip;

  onCluster(
    "is not ready and says why, rejects sends with UNAVAILABLE, and stores them once there is space",
    async () => {
      disk = await SmallDisk.mount(256);
      cluster = await Cluster.create(disk.folder);
      await cluster.start();
      server = await ServerProcess.start({
        DATABASE_URL: cluster.url,
        JWT_SECRET: "for tests only, and long enough for them",
      });
      const { user, token } = await register(server);
      const device = await connect(server, token);
      await disk.fill(freeBytes);

      const send = (content: string) =>
        device.exchange({
          type: "privateMessage",
          params: { receiverId: user.id, content, clientMessageId: createHash("md5").update(content).digest("hex") },
        });
      const ready = () => fetch(`http://127.0.0.1:${server?.port}/health/ready`);
      let refused: string | undefined;
      for (let n = 0; refused === undefined && n < 5000; n++) {
        const content = randomBytes(3000).toString("base64");
        const answer = await send(content);
        if (answer.success) continue;
        refused = content;
        expect(answer).toMatchObject({ code: "UNAVAILABLE", retryable: true });
      }
      const notReady = await ready();
      expect([notReady.status, await notReady.json()]).toMatchObject([503, { checks: { database: "disk full" } }]);
      await disk.clear();
      await server.waitForOutput(/the database is available again after/);
      expect((await ready()).status).toBe(200);
      expect(await send(refused ?? "")).toMatchObject({ success: true });
      expect(server.output.match(/the database is unavailable: .*/g)).toEqual([expect.stringMatching(/No space left/)]);
    },
    60_000,
  );
});
