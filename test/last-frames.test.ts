import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { type AnswerFrame, errorFrame } from "../src/contract/frames.ts";
import { Connection } from "../src/ws/connection.ts";
import type { Request } from "../src/ws/reply-order.ts";
import { RequestReader, type RequestReaderOptions } from "../src/ws/request-reader.ts";

/* The last frames of a socket before it is closed. The test decides when each request is answered. */

function connect(read: (connection: Connection, text: string) => Request) {
  const written: Buffer[] = [];
  const raw = new Duplex({
    write: (chunk, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
  const socket = Object.assign(new EventEmitter(), {
    readyState: 1,
    OPEN: 1,
    isPaused: false,
    close() {
      socket.readyState = 2;
    },
    pause() {},
    resume() {},
    terminate() {},
  });
  const claims = { userId: 1, sessionId: 1, exp: Date.now() / 1000 + 60 };
  const limits = { ephemeralBytes: 1000, pushBytes: 4000, stalledMs: 1000, unanswered: 32 };
  const connection = new Connection(socket as unknown as WebSocket, raw, claims, { read }, limits);
  const answers = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return [
      ...Buffer.concat(written)
        .toString("latin1")
        .matchAll(/\{"[^\x80-\xff]*\}/g),
    ]
      .flat()
      .map((text) => JSON.parse(text));
  };
  return { connection, answers };
}

const abort = () => errorFrame("aborted", { code: "UNAVAILABLE", message: "too late" });

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("twenty malformed frames", () => {
  /** A connection with the real reader for malformed frames. Other frames are answered when the test says so. */
  function guarded() {
    const answering: (() => void)[] = [];
    const floodLimits = { malformed: 20, rateLimited: 100, control: 100 };
    const reader = new RequestReader({ floodLimits } as RequestReaderOptions);
    const made = connect((connection, text) => {
      if (text === "?") return reader.read(connection, text);
      const frame = { type: text } as AnswerFrame;
      return { pipelined: false, answer: () => new Promise((resolve) => answering.push(() => resolve(frame))), abort };
    });
    return { ...made, answerNext: () => answering.shift()?.() };
  }

  test("are all answered before the socket is closed, also if they arrive one by one", async () => {
    const { connection, answers } = guarded();
    for (let count = 0; count < 20; count++) {
      connection.receive("?");
      await turn();
    }
    expect(await answers()).toHaveLength(20);
  });

  test("are answered in order, and so are the requests before and after them", async () => {
    const { connection, answers, answerNext } = guarded();
    for (const text of ["before", ...Array<string>(20).fill("?"), "first", "second"]) connection.receive(text);
    for (let count = 0; count < 3; count++) {
      answerNext();
      await turn();
    }
    const types = (await answers()).map(({ type }) => type);
    expect(types).toEqual(["before", ...Array<string>(20).fill("processor"), "first", "second"]);
  });
});

test("aborted requests are answered once and in order, also those not started; a late answer is dropped", async () => {
  const answering: (() => void)[] = [];
  const { connection, answers } = connect((_connection, type) => ({
    pipelined: type === "send",
    answer: () => new Promise((resolve) => answering.push(() => resolve({ type } as AnswerFrame))),
    abort: () => errorFrame(type, { code: "UNAVAILABLE", message: "too late" }),
  }));
  for (const text of ["send", "send", "other", "last"]) connection.receive(text);
  answering[1]?.();
  await turn();
  connection.abortPending();
  answering[0]?.();
  await turn();
  expect((await answers()).map(({ type, code }) => [type, code])).toEqual([
    ["send", "UNAVAILABLE"],
    ["send", undefined],
    ["other", "UNAVAILABLE"],
    ["last", "UNAVAILABLE"],
  ]);
});

test("two callers wait for a connection to finish, and both are notified", async () => {
  let done = () => {};
  const { connection } = connect(() => ({
    pipelined: false,
    answer: () => new Promise((resolve) => (done = () => resolve({ type: "x" } as AnswerFrame))),
    abort,
  }));
  connection.receive("x");
  const stopping = connection.finish();
  void connection.finish();
  done();
  const late = new Promise((resolve) => setTimeout(resolve, 200, "never"));
  expect(await Promise.race([stopping, late])).toBeUndefined();
});
