import { expect, test } from "@jest/globals";
import { History, type Range } from "../src/history.ts";
import type { Message } from "../src/message.ts";
import type { ChatState } from "../src/replica.ts";
import { Timeline } from "../src/timeline.ts";
import { Scene, seqsOf } from "./support/scene.ts";
import { settled } from "./support/virtual-time.ts";

const last = <T>(list: readonly T[]): T | undefined => list.at(-1);

test("a timeline at a position after the last message shows the newest messages", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 30);
  const { messenger } = await scene.loggedIn(1);
  const timeline = messenger.dialogWith(2).timeline({ at: { seq: 100 } });
  await scene.time.advance(1000);
  expect(last(seqsOf(timeline))).toBe(30);
  expect(timeline.value.hasNewer).toBe(false);
});

test("a timeline whose messages are discarded while it loads older ones is opened again", async () => {
  const history = new History();
  const chat = (): ChatState => ({ ...state, history: new History() });
  const state: ChatState = {
    chatId: 1,
    kind: "dialog",
    version: 90,
    lastSeq: 90,
    readSeq: 90,
    clearedSeq: 0,
    mentions: 0,
    history,
  };
  history.insert([], { from: 40, to: 60 });
  let current = state;
  const loads: ((range: Range | undefined) => void)[] = [];
  const timeline = new Timeline(
    {
      state: () => current,
      readSeq: () => 90,
      toMessage: () => undefined as unknown as Message,
      unsent: () => [],
      loadPage: () => new Promise((resolve) => loads.push(resolve)),
      onClose: () => {},
    },
    { seq: 50 },
    100,
  );
  void timeline.loadOlder();
  current = chat();
  timeline.update();
  loads[0]?.(undefined);
  await settled();
  loads[1]?.({ from: 30, to: 60 });
  await settled();
  expect(timeline.window).toEqual({ from: 30, to: 60 });
});

test("messages between the window and a page that was loaded may be gone: the window has no hole", async () => {
  const history = new History();
  const state: ChatState = {
    chatId: 1,
    kind: "dialog",
    version: 90,
    lastSeq: 90,
    readSeq: 90,
    clearedSeq: 0,
    mentions: 0,
    history,
  };
  history.insert([], { from: 40, to: 60 });
  const timeline = new Timeline(
    {
      state: () => state,
      readSeq: () => 90,
      toMessage: () => undefined as unknown as Message,
      unsent: () => [],
      loadPage: async () => {
        history.retain([{ from: 50, to: 60 }]);
        history.insert([], { from: 20, to: 39 });
        return { from: 20, to: 39 };
      },
      onClose: () => {},
    },
    { seq: 50 },
    100,
  );
  await timeline.loadOlder();
  expect(timeline.window).toEqual({ from: 20, to: 39 });
});

test("a window in the middle of a dialog that is cleared follows the new messages", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 60);
  const reader = await scene.loggedIn(1);
  const writer = await scene.loggedIn(2);
  const timeline = reader.run((messenger) => messenger.dialogWith(2).timeline({ at: { seq: 10 } }));
  await scene.time.advance(1000);
  await scene.after(
    1000,
    reader.run((messenger) => messenger.dialogWith(2).clear()),
  );
  writer.run((messenger) => messenger.dialogWith(1).send("new"));
  await scene.time.advance(1000);
  expect(seqsOf(timeline)).toEqual([61]);
});

test("a timeline whose first page could not be read is opened when it is asked for messages", async () => {
  const scene = new Scene();
  scene.server.fill([1, 2], 90);
  const { messenger } = await scene.loggedIn(1);
  scene.server.faults = ["internal"];
  const timeline = messenger.dialogWith(2).timeline({ at: { seq: 20 } });
  await scene.time.advance(1000);
  expect(timeline.value).toMatchObject({ messages: [], hasNewer: true });
  void timeline.loadNewer();
  await scene.time.advance(1000);
  expect(seqsOf(timeline)).toContain(20);
});
