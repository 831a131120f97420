import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { SocketWriter, textFrame } from "../src/ws/socket-writer.ts";
import { startConnectionMonitor } from "../src/ws/connection-monitor.ts";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";

/** As long in a frame as a message can be: each of these is written as six characters. */
const heavy = "\u0001".repeat(4096);
const heavyBytes = 6 * heavy.length;

/** More than the kernels on both ends keep for a reader that stopped, in messages. */
const flood = Math.ceil((14 * 1024 * 1024) / heavyBytes);

/** More than the second in which a burst may get through, in milliseconds. */
const longerThanABurstMs = 1500;

const messenger = useMessenger();

async function groupOfThree() {
  const [ann, bob, cid] = [await messenger().person(), await messenger().person(), await messenger().person()];
  const writer = await ann.connect();
  const { params } = await writer.request("newGroup", { groupName: "three" });
  const groupId = params.item.groupId ?? 0;
  for (const userId of [bob.id, cid.id]) await writer.request("addUserInGroup", { groupId, userId });
  return { groupId, writer, sleeper: await bob.connect(), reader: await cid.connect() };
}

async function writeHeavily(writer: Device, groupId: number, times: number): Promise<void> {
  for (let sent = 0; sent < times; sent += 16) {
    const some = Array.from({ length: Math.min(16, times - sent) }, () =>
      writer.request("messageInGroup", { groupId, content: heavy }),
    );
    await Promise.all(some);
  }
}

const seqsHeard = (device: Device) => device.pushes().map(({ params }) => params.item.seq);

describe("a client that does not read", () => {
  test("is closed with 4408 when too much waits for it, and the others hear everything in order", async () => {
    const { groupId, writer, sleeper, reader } = await groupOfThree();
    sleeper.socket.pause();
    await writeHeavily(writer, groupId, flood);
    // Who wakes within a burst is let off, however fast the machine writes.
    for (const since = Date.now(); Date.now() < since + longerThanABurstMs; ) await reader.settle();
    expect(seqsHeard(reader)).toEqual(Array.from({ length: flood }, (_, index) => 4 + index));

    sleeper.socket.resume();
    expect(await sleeper.closed).toMatchObject({ code: 4408 });
    // What it got has no gap; the rest comes with a sync.
    expect(seqsHeard(sleeper)).toEqual(seqsHeard(reader).slice(0, seqsHeard(sleeper).length));
  });

  test("may take its time with long answers that it asked for", async () => {
    const { groupId, writer, sleeper } = await groupOfThree();
    await writeHeavily(writer, groupId, 100);
    await sleeper.settle();
    sleeper.socket.pause();
    const pages = Array.from({ length: 8 }, () =>
      sleeper.request("getMessages", { chatId: groupId, before: 104, limit: 100 }),
    );
    for (let round = 0; round < 20; round++) await writer.settle();
    sleeper.socket.resume();
    for (const page of await Promise.all(pages)) expect(page.params.data).toHaveLength(100);
  });
});

describe("what goes out", () => {
  /** A socket that takes nothing. */
  const stuck = () => new Duplex({ write() {} });
  const open = { readyState: 1, OPEN: 1 } as WebSocket;
  const limits = { ephemeralBytes: 1000, pushBytes: 4000, stalledMs: 1000 };
  const frame = textFrame("x".repeat(600));
  const reader = { closeAsTooSlow() {} };
  const ends: (() => void)[] = [];

  test("typing and presence are dropped before anything else", () => {
    const socket = stuck();
    const writer = new SocketWriter(open, socket, limits, reader);
    for (let push = 0; push < 2; push++) writer.push(frame, { ephemeral: false });
    const before = socket.writableLength;
    writer.push(frame, { ephemeral: true });
    expect(socket.writableLength).toBe(before);
    writer.push(frame, { ephemeral: false });
    expect(socket.writableLength).toBe(before + frame.length);
  });

  test("answers do not count against a client, pushes do", () => {
    const writer = new SocketWriter(open, stuck(), limits, reader);
    for (let answer = 0; answer < 20; answer++) writer.reply(frame, () => {});
    writer.push(frame, { ephemeral: false });
    expect(writer.unsentReplyBytes).toBe(20 * frame.length);
    expect(writer.pushBytes).toBe(frame.length);
  });

  /** Both ends of a real connection, and an writer that writes at one of them; the test says when it looks, and at what time. */
  async function connected() {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port).pause();
    const [socket]: Socket[] = await once(server, "connection");
    if (!socket) throw new Error("nobody came");
    const closeAsTooSlow = jest.fn();
    const writer = new SocketWriter(open, socket, limits, { closeAsTooSlow });
    /** Takes more than the kernels on both ends keep, so that the server has got rid of some more. */
    const takeSome = async () => {
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
    return { client, socket, writer, closeAsTooSlow, takeSome };
  }

  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  test("a client that takes nothing is given up after a while, however often it answers a ping", async () => {
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

  test("a client that takes a long answer bit by bit is not", async () => {
    const { writer, closeAsTooSlow, takeSome } = await connected();
    writer.reply(Buffer.alloc(80 * 1024 * 1024), () => {});
    for (let now = 0; now < 4 * limits.stalledMs; now += limits.stalledMs) {
      writer.tick(now);
      await takeSome();
    }
    expect(closeAsTooSlow).not.toHaveBeenCalled();
  });

  test("the time begins anew with what waits after a quiet while", async () => {
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

  test("of all that is too much together, the slowest clients are given up first", () => {
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

  test.each([0, 1, 125, 126, 65_535, 65_536, 300_000])("a frame of %i bytes says how long it is", (length) => {
    const made = textFrame("é".repeat(length / 2) + "e".repeat(length % 2));
    expect(made[0]).toBe(0x81);
    const short = made.readUInt8(1);
    const [head, said] =
      short < 126 ? [2, short] : short === 126 ? [4, made.readUInt16BE(2)] : [10, Number(made.readBigUInt64BE(2))];
    expect(said).toBe(length);
    expect(made).toHaveLength(head + length);
  });
});
