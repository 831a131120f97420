import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { Counter, CounterBy } from "../src/metrics/counters.ts";
import { Connection } from "../src/ws/connection.ts";
import { startConnectionMonitor } from "../src/ws/connection-monitor.ts";
import { SocketWriter, textFrame } from "../src/ws/socket-writer.ts";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";

/** The longest possible message in a frame: each character takes three bytes. */
const heavy = "漢".repeat(4096);
const heavyBytes = 3 * heavy.length;

/** More messages than the kernels on both ends buffer for a client that does not read. */
const messageCount = Math.ceil((14 * 1024 * 1024) / heavyBytes);

const messenger = useMessenger();

async function groupOfThree() {
  const [ann, bob, cid] = [await messenger().person(), await messenger().person(), await messenger().person()];
  const writer = await ann.connect();
  const { params } = await writer.request("newGroup", { groupName: "three" });
  const groupId = params.item.groupId ?? 0;
  for (const userId of [bob.id, cid.id]) await writer.request("addUserInGroup", { groupId, userId });
  return { groupId, writer, slow: await bob.connect(), reader: await cid.connect() };
}

/** Settles at the next call of a method, which still does its work. */
function nextCallOf(prototype: Connection, method: "closeAsTooSlow"): Promise<void> {
  const original = prototype[method];
  return new Promise((resolve) => {
    jest.spyOn(prototype, method).mockImplementationOnce(function (this: Connection) {
      original.call(this);
      resolve();
    });
  });
}

async function sendHeavy(writer: Device, groupId: number, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent += 16) {
    const some = Array.from({ length: Math.min(16, times - sent) }, () =>
      writer.request("messageInGroup", { groupId, content: heavy }),
    );
    await Promise.all(some);
  }
}

const receivedSeqs = (device: Device) => device.pushes().map(({ params }) => params.item.seq);

describe("a client that does not read", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("is closed with 4408 when too many pushes are unsent, and the others receive all messages in order", async () => {
    const { groupId, writer, slow, reader } = await groupOfThree();
    const closing = nextCallOf(Connection.prototype, "closeAsTooSlow");
    slow.socket.pause();
    const sending = sendHeavy(writer, groupId, messageCount);
    await closing;
    // Reads again at once, to receive the close frame: the server waits a few seconds for the answer to it.
    slow.socket.resume();
    expect(await slow.closed).toMatchObject({ code: 4408 });
    await sending;
    await reader.settle();
    expect(receivedSeqs(reader)).toEqual(Array.from({ length: messageCount }, (_, index) => 4 + index));
    // What it received has no gap; a sync brings the rest.
    expect(receivedSeqs(slow)).toEqual(receivedSeqs(reader).slice(0, receivedSeqs(slow).length));
  }, 90_000);

  test("stays connected while long answers are unsent", async () => {
    const { groupId, writer, slow } = await groupOfThree();
    await sendHeavy(writer, groupId, 100);
    await slow.settle();
    slow.socket.pause();
    const pages = Array.from({ length: 8 }, () =>
      slow.request("getMessages", { chatId: groupId, before: 104, limit: 100 }),
    );
    for (let round = 0; round < 20; round++) await writer.settle();
    slow.socket.resume();
    for (const page of await Promise.all(pages)) expect(page.params.data.length).toBeGreaterThan(30);
  });
});

describe("the socket writer", () => {
  /** A socket whose writes never finish. */
  const stuck = () => new Duplex({ write() {} });
  const open = { readyState: 1, OPEN: 1 } as WebSocket;
  const limits = { ephemeralBytes: 1000, pushBytes: 4000, stalledMs: 1000 };
  const frame = textFrame("x".repeat(600));
  const reader = { closeAsTooSlow() {} };
  const ends: (() => void)[] = [];

  test("typing and presence are dropped first when too much is unsent", () => {
    const socket = stuck();
    const metrics = { pushes: new Counter(), droppedPushes: new CounterBy("kind") };
    const writer = new SocketWriter(open, socket, limits, reader, metrics);
    for (let push = 0; push < 2; push++) writer.push({ frame });
    const before = socket.writableLength;
    writer.push({ frame, ephemeral: "typing" });
    expect(socket.writableLength).toBe(before);
    writer.push({ frame });
    expect(socket.writableLength).toBe(before + frame.length);
    expect([...metrics.pushes.samples()]).toEqual([{ labels: {}, value: 3 }]);
    expect([...metrics.droppedPushes.samples()]).toEqual([{ labels: { kind: "typing" }, value: 1 }]);
  });

  test("pushes count towards the limit, answers do not", () => {
    const writer = new SocketWriter(open, stuck(), limits, reader);
    for (let answer = 0; answer < 20; answer++) writer.reply(frame, () => {});
    writer.push({ frame });
    expect(writer.unsentReplyBytes).toBe(20 * frame.length);
    expect(writer.pushBytes).toBe(frame.length);
  });

  /** Both ends of a real connection and a writer on the server's end. The test calls `tick` with a time of its choice. */
  async function connected() {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port).pause();
    const [socket]: Socket[] = await once(server, "connection");
    if (!socket) throw new Error("no connection");
    const closeAsTooSlow = jest.fn();
    const writer = new SocketWriter(open, socket, limits, { closeAsTooSlow });
    /** Reads more than the kernels on both ends buffer, so that the server makes progress. */
    const readSome = async () => {
      for (let taken = 0; taken < 16 * 1024 * 1024; ) {
        await once(client, "readable");
        for (let chunk = client.read(); chunk !== null; chunk = client.read()) taken += chunk.length;
      }
    };
    ends.push(
      () => client.destroy(),
      () => socket.destroy(),
      () => server.close(),
    );
    return { client, socket, writer, closeAsTooSlow, readSome };
  }

  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  test("a client that receives nothing for too long is disconnected, however often it sends pongs", async () => {
    const { client, socket, writer, closeAsTooSlow } = await connected();
    writer.reply(Buffer.alloc(64 * 1024 * 1024), () => {});
    for (let now = 0; now < limits.stalledMs; now += 100) {
      client.write("pong");
      await once(socket, "data");
      writer.tick(now);
    }
    expect(closeAsTooSlow).not.toHaveBeenCalled();
    writer.tick(limits.stalledMs);
    expect(closeAsTooSlow).toHaveBeenCalledTimes(1);
  });

  test("a client that reads a long answer slowly stays connected", async () => {
    const { writer, closeAsTooSlow, readSome } = await connected();
    writer.reply(Buffer.alloc(80 * 1024 * 1024), () => {});
    for (let now = 0; now < 4 * limits.stalledMs; now += limits.stalledMs) {
      writer.tick(now);
      await readSome();
    }
    expect(closeAsTooSlow).not.toHaveBeenCalled();
  });

  test("the time starts again after everything was sent", async () => {
    const { client, writer, closeAsTooSlow } = await connected();
    client.resume();
    await new Promise<void>((resolve) => writer.reply(frame, resolve));
    writer.tick(0);
    client.pause();
    writer.reply(Buffer.alloc(64 * 1024 * 1024), () => {});
    await new Promise((resolve) => setImmediate(resolve));
    writer.tick(10 * limits.stalledMs);
    expect(closeAsTooSlow).not.toHaveBeenCalled();
    writer.tick(11 * limits.stalledMs);
    expect(closeAsTooSlow).toHaveBeenCalledTimes(1);
  });

  test("the slowest clients are disconnected first when all sockets together have too much unsent", () => {
    jest.useFakeTimers();
    const waiting = [10, 500, 0, 300, 20].map((unsentBytes) => ({
      isOpen: true,
      unsentBytes,
      closeAsTooSlow: jest.fn(),
      tick: () => {},
    }));
    const stop = startConnectionMonitor(waiting, { maxBytes: 40 });
    jest.advanceTimersByTime(1000);
    expect(waiting.map(({ closeAsTooSlow }) => closeAsTooSlow.mock.calls.length)).toEqual([0, 1, 0, 1, 0]);
    stop();
    jest.useRealTimers();
  });

  test.each([0, 1, 125, 126, 65_535, 65_536, 300_000])(
    "the header of a frame of %i bytes contains its length",
    (length) => {
      const made = textFrame("é".repeat(length / 2) + "e".repeat(length % 2));
      expect(made[0]).toBe(0x81);
      const short = made.readUInt8(1);
      const [head, said] =
        short < 126 ? [2, short] : short === 126 ? [4, made.readUInt16BE(2)] : [10, Number(made.readBigUInt64BE(2))];
      expect(said).toBe(length);
      expect(made).toHaveLength(head + length);
    },
  );
});
