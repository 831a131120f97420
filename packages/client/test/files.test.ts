import "fake-indexeddb/auto";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { WebSocket } from "ws";
import { fromCommandLine } from "../../../src/domain/administration.ts";
import { beginEpoch } from "../../../src/services/administration/maintenance.ts";
import { password, useMessenger } from "../../../test/support/messenger.ts";
import { type Fetch, indexedDb, type Json, type Message, Messenger, memory, type Store } from "../src/index.ts";
import { Disk, Program, untilLive } from "./support/simulated-device.ts";

/* Files of messages, against a real server. */

const server = useMessenger({ FILE_MAX_BYTES: "1000" });
let databases = 0;

async function device(email: string, store: Store = memory(), more = {}): Promise<Messenger> {
  const messenger = new Messenger({ url: `http://127.0.0.1:${server().port}`, store, WebSocket, ...more });
  await messenger.login({ email, password });
  return messenger;
}

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const fileOf = (text: string, name: string, type = "text/plain") => new File([text], name, { type });

test("files are uploaded before the message that has them, and read by links", async () => {
  const [ann, bob] = [await server().person(), await server().person()];
  const messenger = await device(ann.email);
  const receiver = await device(bob.email);
  const chat = messenger.dialogWith(bob.id);
  const outgoing = chat.send("see", { files: [fileOf("one", "a.txt"), fileOf("second", "b.txt")] });
  const sent = await outgoing.sent;
  expect(sent.files?.map(({ name, size }) => [name, size])).toEqual([
    ["a.txt", 3],
    ["b.txt", 6],
  ]);
  const received = receiver.dialogWith(ann.id);
  const message = await until(() => received.summary.value.lastMessage);
  const fileId = message.files?.[1]?.id ?? "";
  const url = (await receiver.files.url(fileId)) ?? "";
  expect(await (await fetch(url)).text()).toBe("second");
  expect(await receiver.files.url(fileId)).toBe(url);
  expect(await receiver.files.url("018996c8-7d2a-7c41-9d4e-2f3b6a1c0d5e")).toBeUndefined();
  await messenger.close();
  await receiver.close();
});

test("a refused file fails the message, and retry sends it again", async () => {
  const [ann, bob] = [await server().person(), await server().person()];
  const messenger = await device(ann.email);
  const chat = messenger.dialogWith(bob.id);
  const outgoing = chat.send("", { files: [fileOf("x".repeat(1001), "large.txt")] });
  await expect(outgoing.sent).rejects.toMatchObject({ code: "TOO_LARGE" });
  expect(chat.summary.value.lastMessage).toMatchObject({
    state: "failed",
    error: { code: "TOO_LARGE" },
    uploads: [{ name: "large.txt", size: 1001, sentBytes: 0, isStored: false }],
  });
  outgoing.retry();
  await expect(outgoing.sent).rejects.toMatchObject({ code: "TOO_LARGE" });
  outgoing.discard();
  await messenger.close();
});

test("an upload goes on after a restart where the store has the content, and says so where it has not", async () => {
  const [ann, bob] = [await server().person(), await server().person()];
  const name = `files-${++databases}`;
  let isAway = true;
  const failing = (url: string, options: object) =>
    isAway && url.includes("/files") ? Promise.reject(new Error("away")) : fetch(url, options);
  const first = await device(ann.email, indexedDb(name), { fetch: failing });
  const outgoing = first.dialogWith(bob.id).send("kept", { files: [fileOf("content", "a.txt")] });
  await outgoing.stored;
  expect(first.dialogWith(bob.id).summary.value.lastMessage?.uploads).toMatchObject([{ isStored: true }]);
  await first.close();

  isAway = false;
  const second = new Messenger({ url: `http://127.0.0.1:${server().port}`, store: indexedDb(name), WebSocket });
  expect(await second.resume()).toBe(true);
  // Between the answer and the push, a sent message has `uploads` still.
  const withFiles = (message: Message | undefined) => (message?.files ? message : undefined);
  const message = await until(() => withFiles(second.dialogWith(bob.id).summary.value.lastMessage));
  expect(message.state).toBe("sent");
  expect(message.files).toMatchObject([{ name: "a.txt", size: 7 }]);
  await second.close();
});

test.each([
  ["sent", true],
  ["uploaded", false],
])(
  "a message that was %s is sent once with its file where a restart has lost the content",
  async (_, hasSent) => {
    const [ann, bob] = [await server().person(), await server().person()];
    const url = `http://127.0.0.1:${server().port}`;
    const store = memory();
    const disk = new Disk(store);
    const outbox = async () => (await store.entries()).filter(([key]) => key.includes("outbox/"));
    let unsent: [string, Json][] | undefined;
    const noteUpload: Fetch = async (path, options) => {
      const answer = await fetch(path, options);
      if (!path.endsWith("/content")) return answer;
      unsent = await outbox();
      return hasSent ? answer : new Promise(() => {});
    };
    const first = new Program(url, disk, { fetch: noteUpload });
    await first.messenger.login({ email: ann.email, password });
    first.messenger.dialogWith(bob.id).send("once", { files: [fileOf("content", "a.txt")] });
    const written = await until(() => unsent);
    // The program ends after it has stored what it received, and before it removes the message from its outbox.
    while (hasSent && !JSON.stringify(await store.entries()).includes('"seq":1')) await wait(20);
    while (hasSent && (await outbox()).length > 0) await wait(20);
    first.kill();
    for (const [key, value] of written) await store.set(key, value);

    const second = new Program(url, disk);
    await second.messenger.resume();
    await untilLive(second.messenger);
    const isDone = async () => (await outbox()).every(([, value]) => Object(value).failure);
    while (!(await isDone())) await wait(20);
    expect(await outbox()).toEqual([]);
    const chat = second.messenger.dialogWith(bob.id);
    const withFiles = (message: Message | undefined) => (message?.files ? message : undefined);
    const message = await until(() => withFiles(chat.summary.value.lastMessage));
    expect(message).toMatchObject({ seq: 1, state: "sent", files: [{ name: "a.txt", size: 7 }] });
    second.kill();
  },
  20_000,
);

test("a file that a restored server lacks is uploaded again", async () => {
  const [ann, bob] = [await server().person(), await server().person()];
  const sockets: WebSocket[] = [];
  let isAway = false;
  class Switched extends WebSocket {
    constructor(url: string, ...rest: unknown[]) {
      super(isAway ? "ws://127.0.0.1:1" : url, ...(rest as []));
      sockets.push(this);
    }
  }
  let hasUploaded = false;
  const disconnectAfterUpload: Fetch = async (url, options) => {
    const answer = await fetch(url, options);
    if (!url.endsWith("/content") || hasUploaded) return answer;
    hasUploaded = true;
    isAway = true;
    for (const socket of sockets) socket.terminate();
    return answer;
  };
  const messenger = await device(ann.email, memory(), { fetch: disconnectAfterUpload, WebSocket: Switched });
  await untilLive(messenger);
  const outgoing = messenger.dialogWith(bob.id).send("again", { files: [fileOf("content", "a.txt")] });
  while (!hasUploaded) await wait(20);
  const epoch = async () => (await server().http("GET", "/api/info")).body.epoch;
  const before = await epoch();
  await server().sql("DELETE FROM files WHERE owner_id = $id", { id: ann.id });
  await beginEpoch(server().db, fromCommandLine);
  while ((await epoch()) === before) await wait(50);
  isAway = false;
  expect(await outgoing.sent).toMatchObject({ state: "sent", files: [{ name: "a.txt", size: 7 }] });
  await messenger.close();
}, 30_000);

test("an upload in progress can be cancelled", async () => {
  const [ann, bob] = [await server().person(), await server().person()];
  let isUploading = false;
  let aborted: Promise<unknown> | undefined;
  const hanging = (url: string, options: { signal?: AbortSignal }) => {
    if (!url.endsWith("/content")) return fetch(url, options as RequestInit);
    isUploading = true;
    aborted = new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
    return aborted.then(() => Promise.reject(new Error("aborted")));
  };
  const messenger = await device(ann.email, memory(), { fetch: hanging });
  const chat = messenger.dialogWith(bob.id);
  const outgoing = chat.send("", { files: [fileOf("content", "a.txt")] });
  await until(() => (isUploading ? true : undefined));
  expect(outgoing.discard()).toBe(true);
  await aborted;
  await expect(outgoing.sent).rejects.toMatchObject({ code: "DISCARDED" });
  expect(chat.summary.value.lastMessage).toBeUndefined();
  await messenger.close();
});

test.each([
  [413, "TOO_LARGE"],
  [404, "NOT_FOUND"],
])("a proxy that answers the upload with %d fails the message", async (status, code) => {
  const [ann, bob] = [await server().person(), await server().person()];
  const proxied = (url: string, options: object) =>
    url.endsWith("/content") ? Promise.resolve(new Response("refused", { status })) : fetch(url, options);
  const messenger = await device(ann.email, memory(), { fetch: proxied });
  const outgoing = messenger.dialogWith(bob.id).send("", { files: [fileOf("content", "a.txt")] });
  await expect(outgoing.sent).rejects.toMatchObject({ code });
  await messenger.close();
});

test("a log-out that discards unsent messages removes their files from the store", async () => {
  const [ann, bob] = [await server().person(), await server().person()];
  const away = (url: string, options: object) =>
    url.includes("/files") ? Promise.reject(new Error("away")) : fetch(url, options);
  const store = indexedDb(`files-${++databases}`);
  const messenger = await device(ann.email, store, { fetch: away });
  const outgoing = messenger.dialogWith(bob.id).send("", { files: [fileOf("content", "a.txt")] });
  outgoing.sent.catch(() => {});
  await outgoing.stored;
  const keysOfFiles = async () => (await store.entries()).filter(([key]) => key.includes("files/"));
  expect(await keysOfFiles()).toHaveLength(1);
  await messenger.logout({ discard: true });
  expect(await keysOfFiles()).toEqual([]);
  await messenger.close();
});
