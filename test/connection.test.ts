import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { type AnswerFrame, errorFrame } from "../src/contract/frames.ts";
import type { Requester } from "../src/delivery/delivery.ts";
import { Connection } from "../src/ws/connection.ts";
import { Connections } from "../src/ws/connections.ts";
import type { SyncSnapshot } from "../src/ws/message-type.ts";
import { textFrame } from "../src/ws/socket-writer.ts";

/* What one socket is told, with the moments chosen by the test, which no running server lets us do. */

/** A connection whose every frame asks for the same; the test says when it is answered. */
function openConnection({ pipelined = false } = {}) {
  const written: Buffer[] = [];
  let take = () => {};
  let isReading = true;
  const raw = new Duplex({
    write: (chunk, _encoding, done) => {
      written.push(chunk);
      if (isReading) done();
      else take = done;
    },
  });
  const close = jest.fn();
  const socket = Object.assign(new EventEmitter(), {
    readyState: 1,
    OPEN: 1,
    close,
    isPaused: false,
    pause() {
      socket.isPaused = true;
    },
    resume() {
      socket.isPaused = false;
    },
    terminate() {},
  });
  const limits = { ephemeralBytes: 1000, pushBytes: 4000, stalledMs: 1000, unanswered: 32 };
  const asked: { requester: Requester; answer: (text: string) => void }[] = [];
  const claims = { userId: 1, sessionId: 1, exp: Date.now() / 1000 + 60 };
  const connection = new Connection(
    socket as unknown as WebSocket,
    raw,
    claims,
    () => ({
      pipelined,
      answer: (requester) =>
        new Promise((resolve) => asked.push({ requester, answer: (type) => resolve({ type } as AnswerFrame) })),
      abort: () => errorFrame("x", { code: "UNAVAILABLE", message: "too late" }),
    }),
    limits,
  );
  const push = (chatId: number, version: number) =>
    connection.push({ frame: textFrame(`${chatId}:${version}`), chatId, version });
  const told = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return Buffer.concat(written)
      .toString("latin1")
      .replace(/[\x80-\xff]./gs, " ")
      .trim()
      .split(" ");
  };
  const sleep = () => {
    isReading = false;
  };
  const wake = () => {
    isReading = true;
    take();
  };
  return { connection, asked, push, told, sleep, wake, close, socket, gone: () => socket.emit("close") };
}

const everything = (versions: [number, number][]): SyncSnapshot => ({
  isNewerThanSnapshot: ({ chatId = 0, version = 0 }) => version > (new Map(versions).get(chatId) ?? 0),
  versions: new Map(versions),
});

test("what a sync has told is not pushed once more, even when delivery comes to it after the answer", async () => {
  const { connection, asked, push, told, gone } = openConnection();
  connection.receive("sync");
  const [sync] = asked;
  const release = connection.bufferPushes(sync?.requester ?? {});
  push(7, 4);
  push(7, 6);
  release(everything([[7, 5]]));
  sync?.answer("synced");
  expect(await told()).toEqual(['{"type":"synced"}', "7:6"]);
  push(8, 5);
  for (const version of [5, 7]) push(7, version);
  expect(await told()).toEqual(['{"type":"synced"}', "7:6", "8:5", "7:7"]);
  gone();
});

describe("a client that asks for three things, one after the other, and hangs up", () => {
  const hangUp = () => {
    const opened = openConnection();
    const connections = new Connections({ maxPerUser: 10 });
    connections.add(opened.connection);
    for (const text of ["first", "second", "third"]) opened.connection.receive(text);
    opened.socket.readyState = 3;
    connections.remove(opened.connection);
    const answerAll = async () => {
      for (let turn = 0; turn < 4; turn++) {
        opened.asked[turn]?.answer("done");
        await opened.told();
      }
      return opened.asked.length;
    };
    return { connections, answerAll };
  };

  test("has them done", async () => {
    expect(await hangUp().answerAll()).toBe(3);
  });

  test("and whose session then ends has nothing begun any more", async () => {
    const { connections, answerAll } = hangUp();
    connections.endSessions({ sessionIds: [1], reason: "ended" });
    expect(await answerAll()).toBe(1);
  });
});

test("of a hundred sends that came in one piece 32 are under way, and the rest begin as those are answered", async () => {
  const { connection, asked, told, socket, gone } = openConnection({ pipelined: true });
  for (let send = 0; send < 100; send++) connection.receive(`${send}`);
  expect([asked.length, socket.isPaused]).toEqual([32, true]);
  asked[0]?.answer("0");
  await told();
  expect([asked.length, socket.isPaused]).toEqual([33, true]);
  for (let send = 1; send < 100; send++) {
    asked[send]?.answer(`${send}`);
    await told();
  }
  expect(await told()).toEqual(Array.from({ length: 100 }, (_, send) => `{"type":"${send}"}`));
  expect(socket.isPaused).toBe(false);
  gone();
});

describe("a burst that is more than may wait", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test("does no harm to a client that takes it in a moment", () => {
    const { push, sleep, wake, close, gone } = openConnection();
    sleep();
    for (let version = 1; version <= 1000; version++) push(7, version);
    jest.advanceTimersByTime(900);
    wake();
    jest.advanceTimersByTime(10_000);
    expect(close).not.toHaveBeenCalled();
    gone();
  });

  test("ends the connection of a client that does not take it, so that it syncs", () => {
    const { push, sleep, close, gone } = openConnection();
    sleep();
    for (let version = 1; version <= 1000; version++) push(7, version);
    jest.advanceTimersByTime(900);
    expect(close).not.toHaveBeenCalled();
    jest.advanceTimersByTime(200);
    expect(close).toHaveBeenCalledWith(4408, expect.any(String));
    gone();
  });

  test("counts what is held back behind an answer", () => {
    const { connection, asked, push, close, gone } = openConnection();
    connection.receive("sync");
    connection.bufferPushes(asked[0]?.requester ?? {});
    for (let version = 1; version <= 1000; version++) push(7, version);
    jest.advanceTimersByTime(1100);
    expect(close).toHaveBeenCalledWith(4408, expect.any(String));
    gone();
  });
});
