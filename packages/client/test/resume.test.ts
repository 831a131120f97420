import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import { insertMessages } from "../../../test/support/sync.ts";
import { readToBothEnds } from "./support/check-views.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { faultsOf } from "./support/random-device.ts";
import { logIn, person } from "./support/scenes.ts";
import { type Program, until, untilLive } from "./support/simulated-device.ts";

/* What timelines show after an absence. */

const server = useMessenger();
let proxy: FaultProxy;
const running: Program[] = [];
beforeAll(async () => {
  proxy = await FaultProxy.inFrontOf(server().port);
});
afterEach(() => {
  proxy.isRefusing = false;
  for (const program of running.splice(0)) program.kill();
});
afterAll(() => proxy.close());

/** A program with a dialog, and a device of the other user. */
async function dialog() {
  const [ann, bob] = [await person(server()), await person(server())];
  const program = await logIn(proxy.url, ann);
  running.push(program);
  const device = await server().connect(bob.token);
  const { params } = await device.request("privateMessage", { receiverId: ann.id, content: "first" });
  const chat = program.messenger.dialogWith(bob.id);
  await until(program.messenger.chats, ([first]) => first !== undefined);
  const goOffline = async () => {
    proxy.isRefusing = true;
    proxy.cutAll();
    await until(program.messenger.connection, ({ state }) => state !== "live");
  };
  const goOnline = async () => {
    proxy.isRefusing = false;
    await untilLive(program.messenger);
  };
  return { ann, bob, program, device, chat, chatId: params.item.chatId, goOffline, goOnline };
}

test("missed messages that do not fit into one answer are all shown", async () => {
  const { bob, chat, chatId, program, goOffline, goOnline } = await dialog();
  const timeline = chat.timeline();
  const events = program.messenger.events();
  await goOffline();
  await insertMessages(server(), { chatId, senderId: bob.id, count: 200, content: "long ".repeat(800) });
  await goOnline();
  expect(timeline.value.messages.at(-1)?.seq).toBe(201);
  expect(await readToBothEnds(timeline)).toHaveLength(201);
  const types = new Set<string>();
  for (let count = 0; count < 200; count++) types.add((await events.next()).value?.type ?? "");
  expect([...types]).toEqual(["message"]);
});

test("a timeline that is not at the end of a dialog that is cleared elsewhere becomes empty", async () => {
  const { ann, bob, chat, chatId, goOffline, goOnline } = await dialog();
  await goOffline();
  await insertMessages(server(), { chatId, senderId: bob.id, count: 300 });
  await goOnline();
  const other = await server().connect(ann.token);
  const timeline = chat.timeline({ at: { seq: 5 } });
  await until(timeline, ({ messages }) => messages.length > 0);
  expect(timeline.value.hasNewer).toBe(true);
  await other.request("clearDialog", { receiverId: bob.id });
  await until(timeline, ({ messages }) => messages.length === 0);
  expect(await readToBothEnds(timeline)).toEqual([]);
});

test("a timeline that is opened at a position after a long absence shows that position", async () => {
  const { bob, chat, chatId, goOffline, goOnline } = await dialog();
  await goOffline();
  await insertMessages(server(), { chatId, senderId: bob.id, count: 700 });
  await goOnline();
  const timeline = chat.timeline({ at: { seq: 300 } });
  const { messages } = await until(timeline, ({ messages }) => messages.length > 0);
  expect(messages.map(({ seq }) => seq)).toContain(300);
  expect(faultsOf(await readToBothEnds(timeline))).toEqual([]);
});
