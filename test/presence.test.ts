import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { PresenceStore } from "../src/services/presence/presence-store.ts";
import type { Device } from "./support/device.ts";
import { type TestUser, useMessenger } from "./support/messenger.ts";
import {
  annAndBob,
  annAndBobInDialog,
  block,
  createGroup,
  deleteAccount,
  numbers,
  type Participant,
  participant,
  pushesOfType,
  sendPrivately,
  unblock,
  unknownId,
} from "./support/scenes.ts";

/*
 * Presence: who is shown as online to whom, when it changes, and who is notified. One file despite its length, because
 * most tests share the faked grace period.
 */

const messenger = useMessenger();

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

describe("presence", () => {
  const watch = async (device: Device, ...people: { id: number }[]) =>
    (await device.request("watchPresence", { userIds: people.map(({ id }) => id) })).params.data;

  const lastSeen = async ({ id }: TestUser): Promise<string | null> => {
    const [row] = await messenger().sql<{ at: Date | null }>("SELECT last_seen_at AS at FROM users WHERE id = $id", {
      id,
    });
    return row?.at?.toISOString() ?? null;
  };

  const online = ({ id }: TestUser) => ({ userId: id, online: true, lastSeenAt: null });
  const offline = ({ id }: TestUser) => ({ userId: id, online: false, lastSeenAt: null });
  /** The presence pushes that a device has received so far. */
  const presencePushes = async (device: Device) =>
    (await pushesOfType(device, "presence")).map(({ params }) => params.item);

  test("add and remove change the watched users, and only those added are in the answer", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const carl = await messenger().person();
    await sendPrivately(ann.device, carl.id, "Hi");
    expect(await watch(ann.device, bob)).toEqual([online(bob)]);
    const { params } = await ann.device.request("watchPresence", { add: [carl.id], remove: [bob.id] });
    expect(params.data).toEqual([offline(carl)]);
    await carl.connect();
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: online(carl) } });
    await ann.device.request("watchPresence", { remove: [carl.id], add: [bob.id] });
    await block(messenger(), bob, ann);
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
  });

  test("a socket watches at most 100 users, and userIds goes with neither add nor remove", async () => {
    const ann = await participant(messenger());
    await ann.device.request("watchPresence", { userIds: numbers(1, 100) });
    const error = (params: object) => ann.device.requestError("watchPresence", params);
    expect(await error({ add: [unknownId] })).toMatchObject({ code: "LIMIT" });
    expect(await error({})).toMatchObject({ code: "VALIDATION" });
    expect(await error({ userIds: [1], add: [2] })).toMatchObject({ code: "VALIDATION" });
    await ann.device.request("watchPresence", { add: [unknownId], remove: [100] });
  });

  /** Fakes `setTimeout` and nothing else: from here on grace periods last until `advance` is called. */
  function fakeTimeouts(): { advance(ms: number): void } {
    jest.useFakeTimers({
      doNotFake: [
        "Date",
        "hrtime",
        "nextTick",
        "performance",
        "queueMicrotask",
        "setImmediate",
        "clearImmediate",
        "setInterval",
        "clearInterval",
      ],
    });
    return { advance: (ms) => void jest.advanceTimersByTime(ms) };
  }

  /** Closes all sockets of a person and waits until the server has processed it. Returns when they were last seen. */
  async function disconnect(person: Participant): Promise<string> {
    const before = await lastSeen(person);
    await Promise.all(person.devices.map((device) => device.close()));
    for (let attempt = 0; attempt < 1000; attempt++) {
      const now = await lastSeen(person);
      if (now !== null && now !== before) return now;
    }
    throw new Error("the server did not notice that a socket was closed");
  }

  test("shows a connected user as online and one who never connected as offline", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const carl = await messenger().person("Carl");
    await sendPrivately(ann.device, carl.id, "Hi");
    expect(await watch(ann.device, carl, bob, ann)).toEqual([offline(carl), online(bob), online(ann)]);
  });

  test("stores last-seen times whose write failed together with the next one, and never replaces a later one", async () => {
    const [early, late, next] = [await messenger().person(), await messenger().person(), await messenger().person()];
    const presences = new PresenceStore({ database: messenger().db });
    const later = new Date(Date.UTC(2100, 0, 1));
    const query = jest.spyOn(messenger().db, "query").mockRejectedValueOnce(new Error("no database"));
    const failed = presences.seen(early.id);
    // Arrives while the first is being written.
    await presences.seen(late.id);
    await expect(failed).rejects.toThrow("no database");
    query.mockRejectedValueOnce(new Error("still no database"));
    await expect(presences.seen(late.id)).rejects.toThrow("still no database");
    // Written by another process meanwhile.
    const [updated] = await messenger().sql<{ at: Date }>(
      "UPDATE users SET last_seen_at = $at WHERE id = $id RETURNING last_seen_at AS at",
      { id: early.id, at: later },
    );
    expect(updated?.at).toEqual(later);
    await presences.seen(next.id);
    expect(await lastSeen(early)).toBe(later.toISOString());
    for (const person of [late, next]) {
      const ageMs = Date.now() - Date.parse((await lastSeen(person)) ?? "");
      expect(ageMs).toBeLessThan(10_000);
    }
  });

  test("is returned once for a user who is listed twice", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    expect(await watch(ann.device, bob, bob)).toHaveLength(1);
    expect(await watch(ann.device)).toEqual([]);
  });

  test("still shows a user as online right after the last disconnect, without a push", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    const timeouts = fakeTimeouts();
    await disconnect(bob);
    timeouts.advance(14_999);
    jest.useRealTimers();
    expect(await watch(ann.otherDevice, bob)).toEqual([online(bob)]);
    expect(await pushesOfType(ann.device, "presence")).toEqual([]);
  });

  test("shows a user as offline after the grace period and as online after reconnecting", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    const timeouts = fakeTimeouts();
    const lastSeenAt = await disconnect(bob);
    timeouts.advance(15_000);
    jest.useRealTimers();
    const offlineItem = { userId: bob.id, online: false, lastSeenAt };
    const push = await ann.device.nextPush("presence");
    expect(push).toMatchObject({
      success: true,
      params: { data: null, message: null, senderName: null, item: { userId: bob.id, online: false } },
    });
    // The time in the push is that of the process, the stored one that of the database.
    const differenceMs = Date.parse(String(Object(push.params.item).lastSeenAt)) - Date.parse(lastSeenAt);
    expect(Math.abs(differenceMs)).toBeLessThan(1000);
    expect(await watch(ann.otherDevice, bob)).toEqual([offlineItem]);

    await bob.connect();
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
    expect(await ann.otherDevice.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
  });

  test("does not change if the user reconnects within the grace period", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    const timeouts = fakeTimeouts();
    await disconnect(bob);
    timeouts.advance(14_000);
    await (await bob.connect()).settle();
    timeouts.advance(60_000);
    jest.useRealTimers();
    expect(await watch(ann.otherDevice, bob)).toEqual([online(bob)]);
    expect(await pushesOfType(ann.device, "presence")).toEqual([]);
  });

  test("does not change while at least one device stays connected", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    const timeouts = fakeTimeouts();
    await bob.otherDevice.close();
    await (await bob.connect()).settle();
    timeouts.advance(60_000);
    jest.useRealTimers();
    expect(await watch(ann.otherDevice, bob)).toMatchObject([{ online: true }]);
    expect(await pushesOfType(ann.device, "presence")).toEqual([]);
  });

  test("is pushed only for the users of the latest watchPresence request of a device", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const carl = await messenger().person("Carl");
    await sendPrivately(ann.device, carl.id, "Hi");
    await watch(ann.device, carl);
    await watch(ann.device, bob);
    await watch(ann.otherDevice, carl);
    await carl.connect();
    expect(await ann.otherDevice.nextPush("presence")).toMatchObject({ params: { item: { userId: carl.id } } });
    expect(await pushesOfType(ann.device, "presence")).toEqual([]);
  });

  test("shows strangers and unknown users alike: offline, never seen, no pushes", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const stranger = await participant(messenger(), { firstName: "Stan" });
    const timeouts = fakeTimeouts();
    await disconnect(bob);
    timeouts.advance(15_000);
    jest.useRealTimers();
    expect(await watch(stranger.device, ann, bob, { id: unknownId })).toEqual(
      [ann.id, bob.id, unknownId].map((userId) => ({ userId, online: false, lastSeenAt: null })),
    );
    await watch(ann.device, bob);
    await bob.connect();
    await ann.device.nextPush("presence");
    expect(await pushesOfType(stranger.device, "presence")).toEqual([]);
  });

  test("is hidden from both sides after a block", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    await watch(bob.device, ann);
    await block(messenger(), bob, ann);
    expect(await watch(ann.otherDevice, bob)).toEqual([offline(bob)]);
    expect(await watch(bob.otherDevice, ann)).toEqual([offline(ann)]);

    const carl = await participant(messenger(), { firstName: "Carl" });
    await createGroup(carl.device, [bob]);
    await watch(carl.device, bob);
    const timeouts = fakeTimeouts();
    await disconnect(bob);
    timeouts.advance(15_000);
    jest.useRealTimers();
    await carl.device.nextPush("presence");
    // The block itself pushed offline.
    expect(await presencePushes(ann.device)).toEqual([offline(bob)]);
    expect(await watch(ann.device, bob)).toEqual([offline(bob)]);
  });

  test("is pushed as offline to both sides at a block and as online when the block is lifted", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    await watch(bob.device, ann);
    await block(messenger(), bob, ann);
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await bob.device.nextPush("presence")).toMatchObject({ params: { item: offline(ann) } });
    await unblock(messenger(), bob, ann);
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
    expect(await bob.device.nextPush("presence")).toMatchObject({ params: { item: online(ann) } });
    expect(await presencePushes(ann.otherDevice)).toEqual([]);
  });

  test("takes a block made while the request is processed into account", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    await watch(ann.device, bob);
    const { of } = PresenceStore.prototype;
    jest.spyOn(PresenceStore.prototype, "of").mockImplementationOnce(async function (
      this: PresenceStore,
      ...parameters
    ) {
      const found = await of.apply(this, parameters);
      await block(messenger(), bob, ann);
      // The push shows that the server has processed the block.
      await ann.device.nextPush("presence");
      return found;
    });
    expect(await watch(ann.otherDevice, bob)).toEqual([offline(bob)]);
    expect(await presencePushes(ann.otherDevice)).toEqual([]);
  });

  test("pushes what could not be pushed during a database outage with the next change", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const carl = await messenger().person("Carl");
    await sendPrivately(ann.device, carl.id, "Hi");
    await watch(ann.device, bob, carl);
    const mayWatch = jest.spyOn(PresenceStore.prototype, "mayWatch").mockRejectedValueOnce(new Error("no database"));
    await block(messenger(), bob, ann);
    expect(mayWatch).toHaveBeenCalledTimes(1);
    await carl.connect();
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: online(carl) } });
  });

  test("reveals a block of a stranger to nobody", async () => {
    const { ann } = await annAndBobInDialog(messenger());
    const stranger = await participant(messenger(), { firstName: "Stan" });
    await watch(stranger.device, ann);
    await watch(ann.device, stranger);
    await block(messenger(), ann, stranger);
    await block(messenger(), stranger, ann);
    expect(await presencePushes(stranger.device)).toEqual([]);
    expect(await presencePushes(ann.device)).toEqual([]);
  });

  describe("of two users who share only a group", () => {
    async function annAndBobInGroup() {
      const { ann, bob } = await annAndBob(messenger());
      const groupId = await createGroup(ann.device, [bob]);
      expect(await watch(ann.device, bob)).toEqual([online(bob)]);
      expect(await watch(bob.device, ann)).toEqual([online(ann)]);
      return { ann, bob, groupId };
    }

    test.each<[string, (scene: Awaited<ReturnType<typeof annAndBobInGroup>>) => Promise<unknown>]>([
      ["one of them leaves", ({ bob, groupId }) => bob.device.request("leaveGroup", { groupId })],
      [
        "one of them is removed",
        ({ ann, bob, groupId }) => ann.device.request("removeUserFromGroup", { groupId, userId: bob.id }),
      ],
      ["the group ends", ({ ann, groupId }) => ann.device.request("deleteGroup", { groupId })],
    ])("becomes offline for both when %s", async (_how, separate) => {
      const scene = await annAndBobInGroup();
      const { ann, bob } = scene;
      await separate(scene);
      expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
      expect(await bob.device.nextPush("presence")).toMatchObject({ params: { item: offline(ann) } });
      expect(await watch(ann.device, bob)).toEqual([offline(bob)]);
    });

    test("stays visible when one leaves, if they share another group", async () => {
      const { ann, bob, groupId } = await annAndBobInGroup();
      await createGroup(ann.device, [bob]);
      await bob.device.request("leaveGroup", { groupId });
      expect(await watch(bob.device, ann)).toEqual([online(ann)]);
      expect(await presencePushes(ann.device)).toEqual([]);
    });

    test("is visible again as soon as they share a group again", async () => {
      const { ann, bob, groupId } = await annAndBobInGroup();
      await bob.device.request("leaveGroup", { groupId });
      await ann.device.nextPush("presence");
      await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
      expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
      await bob.device.request("leaveGroup", { groupId });
      await ann.device.nextPush("presence");
      await sendPrivately(bob.device, ann.id, "Hi");
      expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: online(bob) } });
    });
  });

  test("of a deleted account is pushed as offline to members of shared groups at once, to others after the grace period", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const carl = await participant(messenger(), { firstName: "Carl" });
    await createGroup(carl.device, [bob]);
    await watch(ann.device, bob);
    await watch(carl.device, bob);
    const timeouts = fakeTimeouts();
    await deleteAccount(messenger(), bob);
    await Promise.all([bob.device.closed, bob.otherDevice.closed]);
    expect(await carl.device.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await presencePushes(ann.device)).toEqual([]);
    timeouts.advance(15_000);
    jest.useRealTimers();
    expect(await ann.device.nextPush("presence")).toMatchObject({ params: { item: offline(bob) } });
    expect(await watch(ann.device, bob, ann)).toEqual([offline(bob), online(ann)]);
  });

  test("can be watched for a hundred users, not for a hundred and one", async () => {
    const { ann } = await annAndBobInDialog(messenger());
    const userIds = numbers(unknownId, unknownId + 100);
    expect(await watch(ann.device, ...userIds.slice(1).map((id) => ({ id })))).toHaveLength(100);
    expect(await ann.device.requestError("watchPresence", { userIds })).toMatchObject({ code: "VALIDATION" });
    for (const wrong of [[0], ["1"], [1.5], [null], 1]) {
      expect(await ann.device.requestError("watchPresence", { userIds: wrong })).toMatchObject({ code: "VALIDATION" });
    }
  });
});
