import { createServer } from "node:http";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { type WebSocket, WebSocketServer } from "ws";
import { Program, until, untilLive } from "./support/simulated-device.ts";

/* A server of the future: types, kinds, fields and codes that this version of the SDK does not know. */

const session = {
  user: { id: 1, email: "ann@example.test", firstName: "Ann", lastName: null, createdAt: "", color: "red" },
};
const token = `e30.${btoa(JSON.stringify({ iat: 0, exp: 86_400 }))}.x`;
const item = (seq: number, more: object = {}) => ({
  chatId: 5,
  messageId: 100 + seq,
  seq,
  version: seq,
  senderId: 2,
  senderName: "Bob",
  senderLastName: null,
  groupId: 5,
  message: `text ${seq}`,
  notification: false,
  createdAt: "2026-11-29T00:00:00.000Z",
  editedAt: null,
  deletedAt: null,
  sticker: { pack: 1 },
  ...more,
});
const chat = {
  chatId: 5,
  kind: "group",
  groupId: 5,
  groupName: "Group",
  role: "owner",
  memberCount: 2,
  version: 1,
  theme: 7,
};

const http = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ ...session, token, expiresAt: "", refreshToken: "1.x", passkeys: [] }));
});
const sockets = new WebSocketServer({ server: http, handleProtocols: () => "messenger.v1" });
let program: Program | undefined;
let socket: WebSocket;
/** Answers a request; undefined: the answer to `sync`. */
let answer: (frame: { type: string; requestId: number }) => object | undefined;

beforeAll(() => new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve)));
afterEach(() => program?.kill());
afterAll(() => {
  sockets.close();
  http.close();
});

sockets.on("connection", (opened) => {
  socket = opened;
  opened.on("message", (data) => {
    const frame = JSON.parse(String(data));
    const sync = {
      chats: [{ ...chat, lastSeq: 1, readSeq: 0, unread: 1, clearedSeq: 0, messages: [item(1)], joined: true }],
      left: [],
      hasMore: false,
      epoch: "one",
      userId: 1,
      serverTime: "",
      drafts: [],
    };
    const result = frame.type === "sync" ? { params: { data: null, item: sync, isBroadcast: false } } : answer(frame);
    if (result) opened.send(JSON.stringify({ type: frame.type, requestId: frame.requestId, ...result }));
  });
});

const push = (type: string, pushed: unknown) =>
  socket.send(
    JSON.stringify({ type, success: true, params: { data: null, item: pushed, isBroadcast: true }, trace: 1 }),
  );

async function start(): Promise<Program> {
  const address = http.address();
  program = new Program(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`);
  await program.messenger.login({ email: "ann@example.test", password: "x" });
  await untilLive(program.messenger);
  return program;
}

test("unknown pushes are ignored, and messages of unknown types and kinds are shown", async () => {
  const { messenger } = await start();
  for (const unknown of [null, 7, "text", [], {}, { chatId: 5 }, { chatId: 5, seq: 9 }, { messageId: 1, version: 2 }]) {
    for (const type of ["pollOpened", "toString"]) push(type, unknown);
  }
  for (const type of ["presence", "typing", "profile", "block", "markRead", "clearDialog"]) push(type, null);
  socket.send("7");
  socket.send("null");
  socket.send(JSON.stringify({ type: "notice" }));
  socket.send(JSON.stringify({ error: true, type: "later", code: "TEAPOT", message: "?" }));
  push("pollOpened", item(2, { event: { kind: "pollOpened", byUserId: 2 }, notification: true, message: "Bob asks" }));
  push("reaction", item(1, { version: 3, change: { kind: "reaction", by: 2 }, message: "text 1" }));
  push("messageInGroup", item(4, { version: 4, seq: 3, messageId: 103, message: "last" }));
  const timeline = messenger.chat(5).timeline();
  const { messages } = await until(timeline, ({ messages }) => messages.at(-1)?.text === "last");
  expect(messages.map(({ text, version }) => [text, version])).toEqual([
    ["text 1", 3],
    ["Bob asks", 2],
    ["last", 4],
  ]);
  expect(messenger.connection.value.state).toBe("live");
});

test("an unknown error code fails the message with it, and what was written after it is sent", async () => {
  const { messenger } = await start();
  let count = 0;
  answer = () =>
    ++count === 1
      ? { error: true, code: "QUOTA", message: "The disk is full.", upgradeUrl: "x" }
      : { params: { data: null, item: item(2, { senderId: 1 }), isBroadcast: false } };
  const refused = messenger.chat(5).send("one");
  const sent = messenger.chat(5).send("two");
  await expect(refused.sent).rejects.toMatchObject({ code: "QUOTA", message: "The disk is full.", retryable: false });
  expect((await sent.sent).seq).toBe(2);
  expect(refused.error).toEqual({ code: "QUOTA", message: "The disk is full." });
});

test("an unknown close code is followed by another connection", async () => {
  const { messenger } = await start();
  socket.close(4999);
  await until(messenger.connection, ({ state }) => state === "offline");
  await untilLive(messenger);
});
