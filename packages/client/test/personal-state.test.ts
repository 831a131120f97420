import { describe, expect, test } from "@jest/globals";
import { attentionOf, isAlert, type Messenger } from "../src/index.ts";
import { patched } from "../src/personal-state.ts";
import type { ModelProgram } from "./support/model-program.ts";
import { Scene } from "./support/scene.ts";

/* Muted, archived and pinned chats, drafts and preferences, as the devices of one user show them. */

/** Two devices of one user, who has a dialog and a group with some messages. */
async function twoDevices() {
  const scene = new Scene();
  scene.server.fill([1, 2], 4);
  scene.server.fill([1, 2, 3], 2);
  const [one, two] = [await scene.loggedIn(1), await scene.loggedIn(1)] as const;
  const act = async (program: ModelProgram, work: (messenger: Messenger) => Promise<unknown>) => {
    program.run((messenger) => void work(messenger).catch(() => {}));
    await scene.time.advance(1000);
  };
  const summary = (program: ModelProgram, chatId = 1) => {
    const found = program.messenger.chats.value.find(({ id }) => id === chatId);
    if (!found) throw new Error(`chat ${chatId} is not listed`);
    return found;
  };
  return { scene, one, two, act, summary };
}

test("settings of a chat reach the other device, and an archived chat comes back with its next message", async () => {
  const { scene, one, two, act, summary } = await twoDevices();
  await act(one, (messenger) => messenger.chat(1).archive());
  await act(one, (messenger) => messenger.chat(2).setPinned(true));
  expect(summary(two)).toMatchObject({ archived: true, muted: false, badge: 1, alerts: "all" });
  expect(two.messenger.chats.value.map(({ id }) => id)).toEqual([2, 1]);
  const bob = await scene.loggedIn(2);
  await act(bob, async (messenger) => messenger.chat(1).send("new"));
  for (const device of [one, two]) expect(summary(device)).toMatchObject({ archived: false, badge: 2 });
  await act(two, (messenger) => messenger.chat(1).mute());
  expect(summary(one)).toMatchObject({ archived: false, muted: true });
  await act(two, (messenger) => messenger.chat(1).archive());
  await act(bob, async (messenger) => messenger.chat(1).send("newer"));
  for (const device of [one, two]) {
    expect(summary(device)).toMatchObject({ archived: true, muted: true, unread: 3, badge: 0, alerts: "none" });
  }
});

test("a mute ends by itself", async () => {
  const { scene, one, act, summary } = await twoDevices();
  const until = new Date(Date.now() + 60 * 60_000);
  await act(one, (messenger) => messenger.chat(1).mute(until));
  expect(summary(one)).toMatchObject({ muted: true, badge: 0 });
  const seen: boolean[] = [];
  one.messenger.chats.subscribe((chats) => seen.push(chats.find(({ id }) => id === 1)?.muted ?? false));
  await scene.time.advance(60 * 60_000);
  expect(seen).toEqual([true, false]);
  expect(summary(one)).toMatchObject({ muted: false, badge: 1 });
});

test("what two devices change offline, each another setting, is joined", async () => {
  const { scene, one, two, act, summary } = await twoDevices();
  for (const device of [one, two]) device.disconnect("lose");
  scene.server.refusedUpgrades = 14;
  await act(one, (messenger) => messenger.chat(1).mute());
  await act(one, (messenger) => messenger.chat(1).setLevel("none"));
  await act(one, (messenger) => messenger.chat(1).setLevel("mentions"));
  await act(two, (messenger) => messenger.chat(1).setPinned(true));
  await act(two, (messenger) => messenger.setPreferences({ theme: "dark" }));
  expect(summary(one)).toMatchObject({ muted: true, level: "mentions" });
  expect(scene.server.stateOf(1).version).toBe(0);
  await scene.time.advance(400_000);
  for (const device of [one, two]) {
    expect(summary(device)).toMatchObject({ muted: true, level: "mentions", pinned: expect.any(Number) });
    expect(device.messenger.preferences.value).toEqual({ theme: "dark" });
  }
  expect(scene.server.stateOf(1).version).toBe(3);
});

test("the draft that was written last stays, and is removed on every device", async () => {
  const { scene, one, two, act, summary } = await twoDevices();
  one.disconnect("lose");
  scene.server.refusedUpgrades = 2;
  await act(one, (messenger) => messenger.chat(1).setDraft("written first"));
  await act(two, (messenger) => messenger.chat(1).setDraft("written last", { replyTo: 2 }));
  await scene.time.advance(60_000);
  for (const device of [one, two]) expect(summary(device).draft).toBe("written last");
  expect(one.messenger.chat(1).draft).toMatchObject({ replyTo: 2 });
  await act(one, (messenger) => messenger.chat(1).setDraft(""));
  expect(summary(two).draft).toBe("");
  expect(scene.server.stateOf(1).keys.get("draft:1")?.value).toBeNull();
});

test("a chat that is marked as unread is so until it is read", async () => {
  const { one, two, act, summary } = await twoDevices();
  await act(one, async (messenger) => messenger.chat(1).markRead());
  await act(one, (messenger) => messenger.chat(1).markUnread());
  expect(summary(two)).toMatchObject({ markedUnread: true, unread: 0 });
  await act(two, async (messenger) => messenger.chat(1).markRead());
  expect(summary(one).markedUnread).toBe(false);
});

test("a device that was away has everything before the network answers, and what it missed after it", async () => {
  const { scene, one, two, act, summary } = await twoDevices();
  await act(one, (messenger) => messenger.chat(1).mute());
  const disk = scene.disk();
  const third = await scene.loggedIn(1, disk);
  await scene.time.advance(1000);
  third.kill();
  for (const n of [1, 2, 3, 4, 5]) await act(one, (messenger) => messenger.setPreferences({ [`field${n}`]: n }));
  await act(two, (messenger) => messenger.chat(1).mute(new Date(0)));
  await act(two, (messenger) => messenger.chat(2).setPinned(true));
  scene.server.refusedUpgrades = 1;
  const program = scene.program(disk);
  await scene.after(
    50,
    program.run((messenger) => messenger.resume()),
  );
  expect(summary(program).muted).toBe(true);
  await scene.time.advance(60_000);
  expect(summary(program).muted).toBe(false);
  expect(summary(program, 2).pinned).toEqual(expect.any(Number));
  expect(program.messenger.preferences.value).toMatchObject({ field5: 5 });
});

test("a device that missed removals which are forgotten starts anew", async () => {
  const { scene, one, two, act, summary } = await twoDevices();
  for (const chatId of [1, 2]) await act(one, (messenger) => messenger.chat(chatId).mute());
  for (const n of [1, 2, 3]) await act(one, (messenger) => messenger.chat(n).setDraft("x"));
  two.disconnect("lose");
  scene.server.refusedUpgrades = 3;
  await act(one, (messenger) => messenger.chat(1).mute(new Date(0)));
  await act(one, (messenger) => messenger.chat(2).setDraft(""));
  scene.server.pruneState(1);
  await scene.time.advance(120_000);
  expect(two.messenger.connection.value.state).toBe("live");
  expect(summary(two)).toMatchObject({ muted: false, draft: "x" });
  expect(summary(two, 2)).toMatchObject({ muted: true, draft: "" });
});

describe("the meaning of the settings", () => {
  const now = Date.UTC(2030, 0);
  const chat = { lastSeq: 10, unread: 4, mentions: 2 };
  const past = "2029-12-31T23:59:59.999Z";
  const future = "2030-01-01T00:00:00.001Z";

  test.each([
    [{}, { muted: false, archived: false, badge: 4, mentionBadge: 2, alerts: "all" }],
    [{ level: "mentions" as const }, { badge: 0, mentionBadge: 2, alerts: "mentions" }],
    [{ level: "none" as const }, { badge: 0, mentionBadge: 0, alerts: "none" }],
    [{ mutedUntil: future }, { muted: true, badge: 0, mentionBadge: 2, alerts: "none" }],
    [{ mutedUntil: past }, { muted: false, badge: 4, mentionBadge: 2, alerts: "all" }],
    [
      { mutedUntil: future, level: "none" as const },
      { muted: true, badge: 0, mentionBadge: 0, alerts: "none" },
    ],
    [{ archivedSeq: 10 }, { archived: true, badge: 4, alerts: "all" }],
    [{ archivedSeq: 9 }, { archived: false }],
    [{ archivedSeq: 0, mutedUntil: future }, { archived: true }],
    [{ archivedSeq: 9, mutedUntil: past }, { archived: false }],
  ])("%j", (settings, expected) => {
    expect(attentionOf(settings, chat, now)).toMatchObject(expected);
  });

  test("decides which messages notify", () => {
    const alerted = (["all", "mentions", "none"] as const).map((alerts) =>
      [false, true].map((isMention) => isAlert({ alerts }, isMention)),
    );
    expect(alerted).toEqual([
      [true, true],
      [false, true],
      [false, false],
    ]);
  });
});

test("a patch changes its fields only, and removes a value without fields", () => {
  expect(patched({ a: 1, b: 2 }, { b: null, c: 3 })).toEqual({ a: 1, c: 3 });
  expect(patched({ a: 1 }, { a: null })).toBeNull();
  expect(patched(undefined, { a: null })).toBeNull();
  expect(patched("not an object", { a: 1 })).toEqual({ a: 1 });
});
