import { EventEmitter } from "node:events";
import { Duplex } from "node:stream";
import { beforeEach, expect, jest, test } from "@jest/globals";
import type { WebSocket } from "ws";
import { InProcessBus } from "../src/bus/in-process-bus.ts";
import type { Presence, PresenceStore } from "../src/services/presence/presence-store.ts";
import { PresenceTracker } from "../src/services/presence/presence-tracker.ts";
import { Connection } from "../src/ws/connection.ts";
import { Connections } from "../src/ws/connections.ts";
import { pushPresence } from "../src/ws/presence-push.ts";
import { textFrame } from "../src/ws/socket-writer.ts";
import { silentLog } from "./support/silent.ts";

/* Presence pushes to a client that reads slowly. Everything is real except the database and the socket. */

const [ann, bob] = [1, 2];
const limits = { ephemeralBytes: 1000, pushBytes: 100_000, stalledMs: 1000, unanswered: 32 };

let connections: Connections;
let tracker: PresenceTracker<Connection>;
let mayWatch: boolean;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate"] });
  mayWatch = true;
  connections = new Connections({ maxPerUser: 10 });
  const store = {
    of: async (userIds: readonly number[], _viewerId: number, isOnline: (userId: number) => boolean) =>
      userIds.map((userId) => ({ userId, online: isOnline(userId), lastSeenAt: null })),
    mayWatch: async (pairs: readonly object[]) => pairs.map(() => mayWatch),
    seen: async () => {},
  } as unknown as PresenceStore;
  tracker = new PresenceTracker({
    connections,
    store,
    bus: new InProcessBus(silentLog),
    notify: pushPresence,
    log: silentLog,
  });
});

/** Connects a device whose client reads nothing until `read` is called. `read` returns the presences it receives. */
function connect(userId: number) {
  const received: string[] = [];
  let finishWrite = () => {};
  const raw = new Duplex({
    write(chunk, _encoding, done) {
      received.push(String(chunk));
      finishWrite = done;
    },
  });
  const socket = Object.assign(new EventEmitter(), { readyState: 1, OPEN: 1, isPaused: false });
  const claims = { userId, sessionId: userId, exp: Date.now() / 1000 + 3600 };
  const reader = { read: () => ({}) as never };
  const connection = new Connection(socket as unknown as WebSocket, raw, claims, reader, limits);
  connections.add(connection);
  tracker.connected(connection);
  const read = async (): Promise<Presence[]> => {
    for (let seen = -1; seen < received.length; ) {
      seen = received.length;
      finishWrite();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return received.flatMap((text) =>
      [...text.matchAll(/\{"type":"presence".*?\}\}/g)].map(([json]) => JSON.parse(json).params.item),
    );
  };
  return { connection, read, disconnect: () => disconnect(connection) };
}

function disconnect(connection: Connection): void {
  connections.remove(connection);
  tracker.disconnected(connection);
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
/** A push of a message, larger than what may be unsent for an ephemeral push. */
const message = { frame: textFrame("x".repeat(2000)) };

test("a slow reader is not notified of users who go offline or online", async () => {
  const bobs = connect(bob);
  const { connection, read } = connect(ann);
  await tracker.watch(connection, [bob]);
  connection.push(message);
  bobs.disconnect();
  await jest.advanceTimersByTimeAsync(15_000);
  expect(await read()).toEqual([]);
});

test("a slow reader who may no longer see a user is notified all the same", async () => {
  connect(bob);
  const { connection, read } = connect(ann);
  await tracker.watch(connection, [bob]);
  connection.push(message);
  mayWatch = false;
  tracker.blockChanged([bob, ann]);
  await turn();
  expect(await read()).toEqual([{ userId: bob, online: false, lastSeenAt: null }]);
});
