import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { type AnswerFrame, errorFrame } from "../src/contract/frames.ts";
import type { Requester } from "../src/domain/actor.ts";
import { Connection } from "../src/ws/connection.ts";
import { Connections } from "../src/ws/connections.ts";
import type { SyncSnapshot } from "../src/ws/message-type.ts";
import { textFrame } from "../src/ws/socket-writer.ts";

/* The frames of one socket. The test decides when each request is answered, which is impossible with a running server. */

/** A connection whose requests are answered when the test says so. */
function openConnection({ pipelined = false } = {}) {
  const written: Buffer[] = [];
  let finishWrite = () => {};
  let isReading = true;
  const raw = new Duplex({
    write: (chunk, _encoding, done) => {
      written.push(chunk);
      if (isReading) done();
      else finishWrite = done;
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
  const requests: { requester: Requester; answer: (text: string) => void }[] = [];
  const claims = { userId: 1, sessionId: 1, exp: Date.now() / 1000 + 60 };
  const connection = new Connection(
    socket as unknown as WebSocket,
    raw,
    claims,
    {
      read: () => ({
        pipelined,
        answer: (requester) =>
          new Promise((resolve) => requests.push({ requester, answer: (type) => resolve({ type } as AnswerFrame) })),
        abort: () => errorFrame("x", { code: "UNAVAILABLE", message: "too late" }),
      }),
    },
    limits,
  );
  const push = (chatId: number, version: number) =>
    connection.push({ frame: textFrame(`${chatId}:${version}`), chatId, version });
  const sent = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return Buffer.concat(written)
      .toString("latin1")
      .replace(/[\x80-\xff]./gs, " ")
      .trim()
      .split(" ");
  };
  const stopReading = () => {
    isReading = false;
  };
  const read = () => {
    isReading = true;
    finishWrite();
  };
  return { connection, requests, push, sent, stopReading, read, close, socket, hangUp: () => socket.emit("close") };
}

const snapshotOf = (versions: [number, number][]): SyncSnapshot => ({
  isNewerThanSnapshot: ({ chatId = 0, version = 0 }) => version > (new Map(versions).get(chatId) ?? 0),
  versions: new Map(versions),
});

test("a change in a sync answer is not pushed, even if delivery brings it after the answer", async () => {
  const { connection, requests, push, sent, hangUp } = openConnection();
  connection.receive("sync");
  const [sync] = requests;
  const endBuffering = connection.bufferPushes(sync?.requester ?? {});
  push(7, 4);
  push(7, 6);
  endBuffering(snapshotOf([[7, 5]]));
  sync?.answer("synced");
  expect(await sent()).toEqual(['{"type":"synced"}', "7:6"]);
  push(8, 5);
  for (const version of [5, 7]) push(7, version);
  expect(await sent()).toEqual(['{"type":"synced"}', "7:6", "8:5", "7:7"]);
  hangUp();
});

describe("a client sends three requests and disconnects", () => {
  const disconnected = () => {
    const opened = openConnection();
    const connections = new Connections({ maxPerUser: 10 });
    connections.add(opened.connection);
    for (const text of ["first", "second", "third"]) opened.connection.receive(text);
    opened.socket.readyState = 3;
    connections.remove(opened.connection);
    const answerAll = async () => {
      for (let turn = 0; turn < 4; turn++) {
        opened.requests[turn]?.answer("done");
        await opened.sent();
      }
      return opened.requests.length;
    };
    return { connections, answerAll };
  };

  test("all of them are executed", async () => {
    expect(await disconnected().answerAll()).toBe(3);
  });

  test("requests that have not started are dropped if the session ends", async () => {
    const { connections, answerAll } = disconnected();
    connections.endSessions({ sessionIds: [1], reason: "ended" });
    expect(await answerAll()).toBe(1);
  });
});

test("of a hundred sends in one packet 32 start at once, and each answer starts another one", async () => {
  const { connection, requests, sent, socket, hangUp } = openConnection({ pipelined: true });
  for (let send = 0; send < 100; send++) connection.receive(`${send}`);
  expect([requests.length, socket.isPaused]).toEqual([32, true]);
  requests[0]?.answer("0");
  await sent();
  expect([requests.length, socket.isPaused]).toEqual([33, true]);
  for (let send = 1; send < 100; send++) {
    requests[send]?.answer(`${send}`);
    await sent();
  }
  expect(await sent()).toEqual(Array.from({ length: 100 }, (_, send) => `{"type":"${send}"}`));
  expect(socket.isPaused).toBe(false);
  hangUp();
});

describe("a burst of pushes above the limit", () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test("a client that reads it within a second stays connected", () => {
    const { push, stopReading, read, close, hangUp } = openConnection();
    stopReading();
    for (let version = 1; version <= 1000; version++) push(7, version);
    jest.advanceTimersByTime(900);
    read();
    jest.advanceTimersByTime(10_000);
    expect(close).not.toHaveBeenCalled();
    hangUp();
  });

  test("a client that does not read it is disconnected with 4408", () => {
    const { push, stopReading, close, hangUp } = openConnection();
    stopReading();
    for (let version = 1; version <= 1000; version++) push(7, version);
    jest.advanceTimersByTime(900);
    expect(close).not.toHaveBeenCalled();
    jest.advanceTimersByTime(200);
    expect(close).toHaveBeenCalledWith(4408, expect.any(String));
    hangUp();
  });

  test("pushes buffered during a sync count towards the limit", () => {
    const { connection, requests, push, close, hangUp } = openConnection();
    connection.receive("sync");
    connection.bufferPushes(requests[0]?.requester ?? {});
    for (let version = 1; version <= 1000; version++) push(7, version);
    jest.advanceTimersByTime(1100);
    expect(close).toHaveBeenCalledWith(4408, expect.any(String));
    hangUp();
  });
});
