import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { connect } from "../src/db/connect.ts";
import { silentLog } from "./support/silent.ts";

/* A PostgreSQL server that ends a connection in the same packet in which it reports it ready. */

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const authenticated = message("R", Buffer.from([0, 0, 0, 0]));
const ready = message("Z", Buffer.from("I"));
const terminated = message("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection\0\0"));

const server = createServer((socket: Socket) => {
  socket.on("error", () => {});
  socket.once("data", () => socket.end(Buffer.concat([authenticated, ready, terminated])));
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => void server.close());

test("a connection that ends while it is opened fails its query, and nothing else", async () => {
  const { port } = server.address() as AddressInfo;
  const uncaught: unknown[] = [];
  const record = (error: unknown) => uncaught.push(error);
  process.on("uncaughtException", record);
  const timeouts = { statementMs: 1000, lockMs: 1000, acquireMs: 500 };
  const url = `postgres://user@127.0.0.1:${port}/any`;
  const { database, availability } = connect({ url, embedded: false, poolSize: 1, timeouts, log: silentLog });
  await expect(database.query("SELECT 1")).rejects.toThrow();
  availability.stop();
  await database.close();
  process.off("uncaughtException", record);
  expect(uncaught).toEqual([]);
});
