import { expect, test } from "@jest/globals";
import { MessengerError } from "../src/errors.ts";
import { Http } from "../src/http.ts";
import { Outbox } from "../src/outbox.ts";
import { memory, type Store, StorePart } from "../src/store.ts";
import { Uploads } from "../src/uploads.ts";
import { Scene, textsOf } from "./support/scene.ts";
import { settled } from "./support/virtual-time.ts";

const textsAtServer = ({ server }: Scene) =>
  [...server.data.chats.values()].flatMap(({ messages }) => messages.map(({ text }) => text));

test("what a closed tab has left in the store is sent by another tab that has nothing to send", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const tab = await scene.loggedIn(1, disk);
  await scene.resumed(disk);
  tab.disconnect("lose");
  await scene.time.advance(600);
  scene.server.refusedUpgrades = 0;
  const message = tab.run((messenger) => messenger.dialogWith(2).send("left behind"));
  await scene.time.advance(10);
  await message.stored;
  tab.kill();
  await scene.time.advance(60_000);
  expect(textsAtServer(scene)).toEqual(["left behind"]);
});

test("a message that failed in one tab and is retried in another one is not shown as failed in either", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const tabs = [await scene.loggedIn(1, disk), await scene.resumed(disk)] as const;
  scene.server.faults = ["internal"];
  const message = tabs[0].run((messenger) => messenger.dialogWith(2).send("refused"));
  await scene.time.advance(15_000);
  expect(message.state).toBe("failed");
  const timelines = tabs.map((tab) => tab.run((messenger) => messenger.dialogWith(2).timeline()));
  expect(timelines.map((timeline) => timeline.value.messages[0]?.state)).toEqual(["failed", "failed"]);
  tabs[1].run(() => timelines[1]?.value.messages[0]?.retry?.());
  await scene.time.advance(15_000);
  expect(timelines.map((timeline) => timeline.value.messages.map(({ state }) => state))).toEqual([["sent"], ["sent"]]);
});

test("a retried message stays queued while the store still says that it has failed", async () => {
  const base = memory();
  let isReady = Promise.resolve();
  const entries: Store["entries"] = async (prefix) => {
    const found = structuredClone(await base.entries(prefix));
    await isReady;
    return found;
  };
  const set: Store["set"] = async (key, value) => {
    const copy = structuredClone(value);
    await isReady;
    await settled();
    await base.set(key, copy);
  };
  const store = new StorePart({ ...base, entries, set }, "");
  const outbox = new Outbox({
    store,
    uploads: new Uploads({ store, http: new Http("", () => Promise.reject()), token: async () => "" }),
    onUpdate: () => {},
    patchedState: () => null,
    onStoreFailure: () => {},
  });
  outbox.begin(() => Promise.reject(new MessengerError("INTERNAL", "")));
  const entry = outbox.addMessage({ clientMessageId: "1", to: { receiverId: 2 }, content: "again", writtenAt: 0 });
  await entry.sending.promise.catch(() => {});
  await settled();
  await settled();
  let setReady = () => {};
  isReady = new Promise((resolve) => {
    setReady = resolve;
  });
  // The store is read, and the answer takes longer than the retry.
  outbox.end();
  const loaded = outbox.load();
  await settled();
  void outbox.retry(entry);
  setReady();
  await loaded;
  expect(entry.state).toBe("queued");
});

test("a message whose `stored` has resolved survives a kill, whatever has become of its request", async () => {
  for (const fault of ["lostRequest", "lostAnswer"] as const) {
    const scene = new Scene();
    const disk = scene.disk();
    const program = await scene.loggedIn(1, disk);
    scene.server.faults = [fault];
    const message = program.run((messenger) => messenger.dialogWith(2).send("once"));
    await scene.after(60, message.stored);
    program.kill();
    await scene.resumed(disk);
    await scene.time.advance(60_000);
    expect(textsAtServer(scene)).toEqual(["once"]);
    scene.time.uninstall();
  }
});

test("a first message to a user is listed after a restart", async () => {
  const scene = new Scene();
  const disk = scene.disk();
  const program = await scene.loggedIn(1, disk);
  program.disconnect("lose");
  scene.server.refusedUpgrades = 1000;
  await scene.time.advance(600);
  program.run((messenger) => messenger.dialogWith(2).send("first"));
  await scene.time.advance(100);
  program.kill();
  const restarted = await scene.resumed(disk);
  expect(restarted.messenger.chats.value.map(({ lastMessage }) => lastMessage?.text)).toEqual(["first"]);
});

test("1,000 queued messages of several chats are sent in order within the rate limit", async () => {
  const scene = new Scene();
  const program = await scene.loggedIn(1);
  scene.server.limits.sendsPerSecond = 10;
  program.run((messenger) => {
    for (let n = 0; n < 1000; n++) messenger.dialogWith(1 + (n % 3)).send(`${n}`);
  });
  await scene.time.advance(130_000);
  const chats = [...scene.server.data.chats.values()].map(({ messages }) => messages.map(({ text }) => Number(text)));
  expect(chats.flat().length).toBe(1000);
  for (const numbers of chats) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  const timeline = program.run((messenger) => messenger.dialogWith(2).timeline());
  expect(textsOf(timeline).at(-1)).toBe("997");
}, 120_000);
