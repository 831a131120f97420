import { describe, expect, test } from "@jest/globals";
import { PersonalState } from "../src/services/state/personal-state.ts";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBobInDialog,
  createGroup,
  deleteAccount,
  errorOf,
  participant,
  pushesOfType,
  unknownId,
} from "./support/scenes.ts";
import { chatIn, insertMessages, syncWith } from "./support/sync.ts";

/* Personal state: what `setState` stores, refuses and pushes, and how `sync` brings it. */

const messenger = useMessenger();

/** A range without chats. */
const noChats: [number, number] = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

const forEver = "9999-12-31T23:59:59.999Z";

const setState = async (device: Device, key: string, value: unknown) =>
  (await device.request("setState", { key, value })).params.item;

const stateSince = async (device: Device, stateVersion: number, more: { epoch?: string } = {}) =>
  (await syncWith(device, [], { stateVersion, ...more })).state;

/** All keys of a device that follows the client rule, read page by page. */
async function readAll(device: Device, from = 0) {
  const keys = new Map<string, unknown>();
  let pages = 0;
  for (let version = from; ; pages++) {
    const answer = await syncWith(device, [], { range: noChats, stateVersion: version });
    const { state } = answer;
    if (!state) throw new Error("the answer has no state");
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(512 * 1024);
    if (state.reset) keys.clear();
    for (const [key, value] of state.entries) {
      if (value === null) keys.delete(key);
      else keys.set(key, value);
    }
    expect(answer.hasMore && state.version <= version).toBe(false);
    version = state.version;
    if (!answer.hasMore) return { keys, version, pages: pages + 1 };
  }
}

const person = async (devices = 1) => participant(messenger(), { devices });

describe("setState", () => {
  test("takes the next version, and is pushed to one's own other devices only", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const muted = { mutedUntil: forEver };
    const item = await setState(ann.device, `chat:${chatId}`, muted);
    expect(item).toEqual({ stateVersion: 1, key: `chat:${chatId}`, value: muted });
    expect(await ann.otherDevice.nextPush("setState")).toMatchObject({ params: { item, message: null } });
    expect(await setState(ann.otherDevice, "preferences", { theme: "dark" })).toMatchObject({ stateVersion: 2 });
    expect(await ann.device.nextPush("setState")).toMatchObject({ params: { item: { stateVersion: 2 } } });
    expect(await pushesOfType(ann.device, "setState")).toHaveLength(1);
    for (const device of bob.devices) expect(await pushesOfType(device, "setState")).toEqual([]);
    expect(await setState(bob.device, "preferences", {})).toMatchObject({ stateVersion: 1 });
  });

  test("to the value that the key has stores and pushes nothing, in whatever order its keys are", async () => {
    const { ann, chatId } = await annAndBobInDialog(messenger());
    const item = await setState(ann.device, `chat:${chatId}`, { pinned: 1.5, level: "none" });
    await setState(ann.device, "preferences", 7);
    expect(await setState(ann.device, `chat:${chatId}`, { level: "none", pinned: 1.5 })).toEqual(item);
    expect(await setState(ann.device, "draft:1", null)).toEqual({ stateVersion: 0, key: "draft:1", value: null });
    const removed = await setState(ann.device, "preferences", null);
    expect(removed).toEqual({ stateVersion: 3, key: "preferences", value: null });
    expect(await setState(ann.device, "preferences", null)).toEqual(removed);
    expect(await pushesOfType(ann.otherDevice, "setState")).toHaveLength(3);
  });

  test("keeps every kind of value as it is", async () => {
    const { device } = await person();
    for (const value of [{ a: [1, null, { b: "é\u2028\t" }], "": 0 }, "text", [], 0, false, "💬"]) {
      await setState(device, "preferences", value);
      expect((await stateSince(device, 0))?.entries).toEqual([["preferences", value]]);
    }
  });

  test.each<[what: string, key: string, value: unknown, field: string]>([
    ["an unknown key", "colour", {}, "params.key"],
    ["a key that only begins like a known one", "preferences2", {}, "params.key"],
    ["the settings of no chat", "chat:", {}, "params.key"],
    ["the settings of a chat with another spelling", "chat:01", {}, "params.key"],
    ["a key in upper case", "Chat:1", null, "params.key"],
    ["a key that is too long", "a".repeat(65), null, "params.key"],
    ["an unknown level", "chat:1", { level: "some" }, "params.value.level"],
    ["a time in words", "chat:1", { mutedUntil: "tomorrow" }, "params.value.mutedUntil"],
    ["`markedUnread: false`", "chat:1", { markedUnread: false }, "params.value.markedUnread"],
    ["settings that are no object", "chat:1", "muted", "params.value"],
    ["a draft without its time", "draft:1", { text: "" }, "params.value.updatedAt"],
    ["U+0000", "preferences", { a: ["\u0000"] }, "params.value"],
    ["a lone surrogate in a key", "preferences", { "\ud800": 1 }, "params.value"],
    [
      "values that are nested too deeply",
      "preferences",
      JSON.parse(`${"[".repeat(100)}${"]".repeat(100)}`),
      "params.value",
    ],
  ])("refuses %s", async (_what, key, value, field) => {
    const { device } = await person();
    expect(await errorOf(device, "setState", { key, value })).toMatchObject({ code: "VALIDATION", field });
    expect(await stateSince(device, 0)).toEqual({ version: 0, entries: [] });
  });

  test("takes 8 KiB of JSON and a draft of 16 KiB, which holds any message, and not one byte more", async () => {
    const { ann, chatId } = await annAndBobInDialog(messenger());
    const { device } = ann;
    const ofBytes = (bytes: number) => "é".repeat((bytes - 2) / 2);
    expect(await setState(device, "preferences", ofBytes(8192))).toMatchObject({ stateVersion: 1 });
    const refused = { code: "VALIDATION", field: "params.value", message: expect.stringContaining("8192") };
    expect(await errorOf(device, "setState", { key: "preferences", value: `${ofBytes(8192)}a` })).toMatchObject(
      refused,
    );
    const draft = { text: "", updatedAt: forEver };
    const longest = { ...draft, text: "a".repeat(16 * 1024 - JSON.stringify(draft).length) };
    expect(await setState(device, `draft:${chatId}`, longest)).toMatchObject({ stateVersion: 2 });
    const tooLong = { ...longest, text: `${longest.text}a` };
    expect(await errorOf(device, "setState", { key: `draft:${chatId}`, value: tooLong })).toMatchObject({
      code: "VALIDATION",
    });
    await setState(device, `draft:${chatId}`, { ...draft, text: "漢".repeat(4096) });
  });

  test("answers for a chat of others as for one that does not exist, and removes any key", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const { device } = await person();
    const groupId = await createGroup(ann.device, [bob]);
    const refusal = async (id: number, kind: string, value: object) =>
      errorOf(device, "setState", { key: `${kind}:${id}`, value });
    for (const [kind, value] of [
      ["chat", { pinned: 1 }],
      ["draft", { text: "x", updatedAt: forEver }],
    ] as const) {
      const unknown = await refusal(unknownId, kind, value);
      expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
      for (const id of [chatId, groupId]) expect(await refusal(id, kind, value)).toEqual(unknown);
    }
    await setState(bob.device, `chat:${groupId}`, { pinned: 1 });
    await bob.device.request("leaveGroup", { groupId });
    expect(await errorOf(bob.device, "setState", { key: `chat:${groupId}`, value: { pinned: 2 } })).toMatchObject({
      code: "NOT_MEMBER",
    });
    await setState(bob.device, `chat:${groupId}`, null);
    expect((await readAll(bob.device)).keys.size).toBe(0);
  });

  test("allows 5,000 keys, among which removed ones do not count", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await messenger().sql(
      `INSERT INTO user_state (user_id, key, value, bytes, version)
       SELECT $userId, 'chat:' || (900000000 + n), CASE WHEN n <= 4999 THEN '{}'::jsonb END, 20, n FROM generate_series(1, 5100) AS n`,
      { userId: ann.id },
    );
    await messenger().sql("UPDATE users SET state_version = 5100 WHERE id = $userId RETURNING id", { userId: ann.id });
    expect(await setState(ann.device, `chat:${chatId}`, { level: "all" })).toMatchObject({ stateVersion: 5101 });
    const more = { key: "preferences", value: {} };
    expect(await errorOf(ann.device, "setState", more)).toMatchObject({ code: "LIMIT" });
    expect(await setState(ann.device, `chat:${chatId}`, { level: "none" })).toMatchObject({ stateVersion: 5102 });
    await setState(ann.device, `chat:${chatId}`, null);
    expect(await setState(ann.device, "preferences", {})).toMatchObject({ stateVersion: 5104 });
    const { keys, pages } = await readAll(ann.device);
    expect(keys.size).toBe(5000);
    expect(pages).toBe(1);
    expect(await setState(bob.device, "preferences", {})).toMatchObject({ stateVersion: 1 });
  });

  test("of two devices at once gives each change its own version, and both devices the same", async () => {
    const { devices } = await person(2);
    const [one, two] = devices as [Device, Device];
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => setState(n % 2 ? one : two, "preferences", { n: Math.floor(n / 4) })),
    );
    const { keys, version } = await readAll(one);
    expect(await readAll(two)).toMatchObject({ keys, version });
    const answers = devices.flatMap(({ frames }) =>
      frames.filter(({ type }) => type === "setState").map(({ params }) => params.item),
    );
    const byVersion = new Map(answers.map((item) => [item.stateVersion, item.value]));
    expect([...byVersion.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: version }, (_, n) => n + 1));
    expect(keys.get("preferences")).toEqual(byVersion.get(version));
  });

  test("is erased with the account", async () => {
    const user = await person();
    await setState(user.device, "preferences", { secret: "diary" });
    await deleteAccount(messenger(), user);
    expect(await messenger().sql("SELECT * FROM user_state WHERE user_id = $id", { id: user.id })).toEqual([]);
  });
});

describe("sync with `stateVersion`", () => {
  test("brings what has changed since, in the order of the changes, and nothing to those who do not ask", async () => {
    const { ann, chatId } = await annAndBobInDialog(messenger());
    const { device } = ann;
    await setState(device, "preferences", 1);
    await setState(device, `chat:${chatId}`, { pinned: 1 });
    await setState(device, "preferences", null);
    expect(await syncWith(device)).not.toHaveProperty("state");
    expect(await stateSince(device, 0)).toEqual({
      version: 3,
      entries: [
        [`chat:${chatId}`, { pinned: 1 }],
        ["preferences", null],
      ],
    });
    expect(await stateSince(device, 2)).toEqual({ version: 3, entries: [["preferences", null]] });
    expect(await stateSince(device, 3)).toEqual({ version: 3, entries: [] });
  });

  test("resets a client that is ahead, or of another epoch", async () => {
    const { device } = await person();
    await setState(device, "preferences", 1);
    const { epoch } = await syncWith(device);
    const reset = { version: 1, entries: [["preferences", 1]], reset: true };
    expect(await stateSince(device, 2)).toEqual(reset);
    expect(await stateSince(device, 1, { epoch: "another" })).toEqual(reset);
    expect(await stateSince(device, 1, { epoch })).toEqual({ version: 1, entries: [] });
  });

  test("splits a large state into answers of at most 512 KiB, beside chats that also make progress", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await fillState(ann.id, 100, 8000);
    await insertMessages(messenger(), { chatId, senderId: bob.id, count: 200, content: "x".repeat(4000) });
    const first = await syncWith(ann.device, [[chatId, 1, 1]], { stateVersion: 0 });
    expect(first).toMatchObject({ hasMore: true });
    expect(first.state?.entries.length).toBeGreaterThan(20);
    expect(chatIn(first, chatId).messages.length).toBeGreaterThan(20);
    expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThanOrEqual(512 * 1024);
    const { keys, pages } = await readAll(ann.device);
    expect(keys.size).toBe(100);
    expect(pages).toBeGreaterThan(2);
  });

  test("forgets removed keys after 90 days: a client behind that is reset, also where its state needs many answers", async () => {
    const { device, id } = await person();
    await fillState(id, 100, 8000);
    await setState(device, "preferences", 1);
    await setState(device, "preferences", null);
    const { version } = await readAll(device);
    await setState(device, "preferences", 2);
    await setState(device, "preferences", null);
    const current = (await readAll(device)).version;
    const state = new PersonalState({ database: messenger().db, delivery: undefined as never });
    expect(await state.forgetSome()).toBe(false);
    await messenger().sql(
      "UPDATE user_state SET changed_at = now() - interval '91 days' WHERE user_id = $id AND key = 'preferences' RETURNING key",
      { id },
    );
    while (await state.forgetSome());
    expect(await messenger().sql("SELECT key FROM user_state WHERE user_id = $id AND value IS NULL", { id })).toEqual(
      [],
    );
    // A client that has them all keeps its keys; one that may have missed the removal starts anew.
    expect(await stateSince(device, current)).not.toHaveProperty("reset");
    expect(await stateSince(device, version)).toMatchObject({ reset: true });
    const { keys, pages } = await readAll(device, version);
    expect(keys.size).toBe(100);
    expect(keys.has("preferences")).toBe(false);
    expect(pages).toBeGreaterThan(2);
    expect(await setState(device, "preferences", null)).toMatchObject({ stateVersion: 0 });
  });

  test("follows pushes without a hole: what changes during a sync is in the answer or after it", async () => {
    const { devices } = await person(2);
    const [one, two] = devices as [Device, Device];
    const writes = Array.from({ length: 30 }, (_, n) => setState(one, "preferences", n));
    for (let known = 0; known < 30; ) {
      const before = two.frames.length;
      const state = await stateSince(two, known);
      const answerAt = two.frames.findIndex((frame, index) => index >= before && frame.type === "sync");
      known = state?.version ?? 0;
      for (const { type, params } of two.frames.slice(answerAt + 1)) {
        if (type === "setState" && params.item.stateVersion === known + 1) known++;
      }
    }
    await Promise.all(writes);
    expect((await stateSince(two, 0))?.entries).toEqual([["preferences", 29]]);
  });
});

/** Inserts keys with values of this size, as if they had been set while nobody was connected. */
async function fillState(userId: number, count: number, size: number): Promise<void> {
  await messenger().sql(
    `INSERT INTO user_state (user_id, key, value, bytes, version)
     SELECT $userId, 'chat:' || (900000000 + n), jsonb_build_object('note', repeat('x', $size::int)), $size::int + 40, n
       FROM generate_series(1, $count::int) AS n`,
    { userId, count, size },
  );
  await messenger().sql("UPDATE users SET state_version = $count WHERE id = $userId RETURNING id", { userId, count });
}
