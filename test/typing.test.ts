import { afterEach, describe, expect, jest, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import {
  annAndBobInDialog,
  block,
  createGroup,
  errorOf,
  participant,
  pushesOfType,
  unknownId,
} from "./support/scenes.ts";

/* Typing notifications: who receives them, how often, and that nothing is stored. */

const messenger = useMessenger();

afterEach(() => {
  jest.restoreAllMocks();
});

describe("typing", () => {
  const typing = (device: Device, chatId: number) => device.request("typing", { chatId });

  test("is pushed to every device of the other members, and to no device of the sender", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    expect((await typing(ann.device, chatId)).params).toMatchObject({ data: null, item: null });
    for (const one of [bob.device, bob.otherDevice]) {
      const item = { chatId, userId: ann.id, ttlMs: 6000 };
      expect((await pushesOfType(one, "typing")).map(({ params }) => params.item)).toEqual([item]);
    }
    expect(await pushesOfType(ann.device, "typing")).toEqual([]);
    expect(await pushesOfType(ann.otherDevice, "typing")).toEqual([]);
  });

  test("is pushed at most once in two seconds", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    // Whole, so that the sums below are exact.
    const now = Math.ceil(performance.now());
    const clock = jest.spyOn(performance, "now").mockReturnValue(now);
    await typing(ann.device, chatId);
    clock.mockReturnValue(now + 1999);
    await typing(ann.device, chatId);
    expect(await pushesOfType(bob.device, "typing")).toHaveLength(1);
    // Each user and each chat is throttled separately.
    await typing(bob.device, chatId);
    expect(await pushesOfType(ann.device, "typing")).toHaveLength(1);
    await typing(ann.device, await createGroup(ann.device, [bob]));
    expect(await pushesOfType(bob.device, "typing")).toHaveLength(2);
    clock.mockReturnValue(now + 2000);
    await typing(ann.device, chatId);
    expect(await pushesOfType(bob.device, "typing")).toHaveLength(3);
  });

  /** Adds this many members without devices to a group. */
  const addMembers = (chatId: number, count: number) =>
    messenger().sql(
      `WITH extra AS (
              INSERT INTO users (email, email_key, password_hash, first_name)
              SELECT name, name, 'none', 'Extra'
                FROM (SELECT 'extra' || $chatId::text || '.' || n || '@example.test' AS name
                        FROM generate_series(1, $count::int) AS n) AS names
           RETURNING id
            )
       INSERT INTO chat_members (user_id, chat_id) SELECT id, $chatId::bigint FROM extra RETURNING user_id`,
      { chatId, count },
    );

  test("is pushed in a group of fifty members and not in one of fifty-one", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const fiftyMembers = await createGroup(ann.device, [bob]);
    const fiftyOneMembers = await createGroup(ann.device, [bob]);
    await addMembers(fiftyMembers, 48);
    await addMembers(fiftyOneMembers, 49);
    await typing(ann.device, fiftyOneMembers);
    await typing(ann.device, fiftyMembers);
    expect(await pushesOfType(bob.device, "typing")).toMatchObject([{ params: { item: { chatId: fiftyMembers } } }]);
  });

  test("is stored nowhere and not pushed to devices that connect later", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    const storedState = () =>
      messenger().sql(
        "SELECT c.*, m.* FROM chats AS c JOIN chat_members AS m ON m.chat_id = c.id ORDER BY m.user_id, c.id",
      );
    const before = await storedState();
    await typing(ann.device, chatId);
    const later = await bob.connect();
    expect(await pushesOfType(later, "typing")).toEqual([]);
    expect(await storedState()).toEqual(before);
    const { params } = await later.request("sync", { chats: [[chatId, 1, 0]] });
    expect(params.item.chats).toEqual([]);
  });

  test("by a stranger is rejected with the error for an unknown chat and pushed to nobody", async () => {
    const { ann, chatId } = await annAndBobInDialog(messenger());
    const { device: stranger } = await participant(messenger());
    const unknown = await errorOf(stranger, "typing", { chatId: unknownId });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await errorOf(stranger, "typing", { chatId })).toEqual(unknown);
    expect(await pushesOfType(ann.device, "typing")).toEqual([]);
  });

  test("by a blocked user is rejected with the error for an unknown user and not pushed", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await block(messenger(), bob, ann);
    const answer = await errorOf(ann.device, "typing", { chatId });
    expect(answer).toEqual({ error: true, type: "typing", message: "There is no such user", code: "NOT_FOUND" });
    expect(await pushesOfType(bob.device, "typing")).toEqual([]);
  });

  test("by a user who blocks the peer is accepted and not pushed", async () => {
    const { ann, bob, chatId } = await annAndBobInDialog(messenger());
    await block(messenger(), ann, bob);
    expect((await typing(ann.device, chatId)).params).toMatchObject({ data: null, item: null });
    expect(await pushesOfType(bob.device, "typing")).toEqual([]);
  });

  test("in a group is pushed to all other members except across a block, in either direction", async () => {
    const { ann, bob } = await annAndBobInDialog(messenger());
    const carl = await participant(messenger(), { firstName: "Carl" });
    const groupId = await createGroup(carl.device, [ann, bob]);
    await block(messenger(), ann, bob);
    for (const one of [ann.device, bob.device]) await typing(one, groupId);
    expect((await pushesOfType(carl.device, "typing")).map(({ params }) => params.item)).toMatchObject([
      { userId: ann.id },
      { userId: bob.id },
    ]);
    for (const one of [ann.device, bob.device]) expect(await pushesOfType(one, "typing")).toEqual([]);
  });
});
