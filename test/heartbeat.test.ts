import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import type { Connection } from "../src/ws/connection.ts";
import { startHeartbeat } from "../src/ws/heartbeat.ts";
import { TestMessenger } from "./support/messenger.ts";
import { RawSocket } from "./support/raw-socket.ts";

/* A dead link: neither a FIN nor a pong arrives. */

const pingEveryMs = 25_000;
const pongWithinMs = 10_000;

/** Time passes by itself and can be advanced. */
beforeEach(() => {
  const doNotFake = ["nextTick", "queueMicrotask", "setImmediate", "clearImmediate", "Date", "performance"] as const;
  jest.useFakeTimers({ advanceTimers: true, doNotFake: [...doNotFake] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe("a running server", () => {
  let messenger: TestMessenger;
  beforeEach(async () => {
    messenger = await TestMessenger.start();
  });
  afterEach(async () => {
    await messenger.closeDevices();
    await messenger.stop();
  });

  test("terminates a socket without a close frame if no pong arrives within 35 s, and keeps the others", async () => {
    const person = await messenger.person();
    const vanished = await RawSocket.open(messenger.port, person.token);
    const present = await person.connect();
    const pinged = once(present.socket, "ping");
    jest.advanceTimersByTime(pingEveryMs);
    await pinged;
    // The answer arrives after the pong.
    await present.settle();
    jest.advanceTimersByTime(pongWithinMs);
    expect(await vanished.closed).toBeUndefined();
    await present.settle();
  });
});

describe("a paused socket whose requests are still pending", () => {
  const connectionWith = (socket: object) => {
    const terminate = jest.fn();
    return {
      terminate,
      connection: { alive: true, socket: { ping() {}, terminate, ...socket } } as unknown as Connection,
    };
  };

  test("stays open without a pong; once it is resumed, it is terminated in the next round", () => {
    const socket = { isPaused: true };
    const { connection, terminate } = connectionWith(socket);
    const stop = startHeartbeat([connection], { pingEveryMs, pongWithinMs });
    jest.advanceTimersByTime(pingEveryMs + pongWithinMs);
    expect(terminate).not.toHaveBeenCalled();
    Object.assign(connection.socket, { isPaused: false });
    jest.advanceTimersByTime(pingEveryMs);
    expect(terminate).toHaveBeenCalledTimes(1);
    stop();
  });
});
