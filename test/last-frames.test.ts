import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { type AnswerFrame, errorFrame } from "../src/contract/frames.ts";
import { Connection, type Request } from "../src/ws/connection.ts";
import { readRequest } from "../src/ws/dispatch.ts";
import { FloodGuard } from "../src/ws/flood-guard.ts";

/* How sockets end, in moments chosen by the test. */

function connect(read: (text: string, connection: Connection) => Request) {
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
  const connection = new Connection(socket as unknown as WebSocket, raw, claims, read, limits);
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
  /** A connection that is shown out as the gateway does it; frames that are JSON are answered when the test says so. */
  function guarded() {
    const answering: (() => void)[] = [];
    let guard: FloodGuard | undefined;
    const made = connect((text, self) => {
      guard ??= new FloodGuard({
        limits: { malformed: 20, refused: 100, control: 100 },
        consume: async () => {},
        disconnect: (code, reason) => void self.finish().then(() => self.close(code, reason)),
      });
      if (text === "?") return readRequest(text, () => ({}) as never, { guard } as never);
      const frame = { type: text } as AnswerFrame;
      return { pipelined: false, answer: () => new Promise((resolve) => answering.push(() => resolve(frame))), abort };
    });
    return { ...made, answerNext: () => answering.shift()?.() };
  }

  test("are all answered before the socket is closed, also when they come one by one", async () => {
    const { connection, answers } = guarded();
    for (let count = 0; count < 20; count++) {
      connection.receive("?");
      await turn();
    }
    expect(await answers()).toHaveLength(20);
  });

  test("overtake nothing, and lose nothing that came behind them", async () => {
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

test("what is given up is answered once, in order, also what was not begun; an answer that comes later is dropped", async () => {
  const answering: (() => void)[] = [];
  const { connection, answers } = connect((type) => ({
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

test("whoever waits for a connection to finish is told, though somebody else asks it to finish as well", async () => {
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
