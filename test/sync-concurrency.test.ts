import { describe, expect, jest, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import { annAndBob, createGroup, numbers, sendPrivately, sendToGroup } from "./support/scenes.ts";
import { type KnownChat, type SyncChat, syncWith, versionsOf } from "./support/sync.ts";

/* Sync during concurrent changes: answers and pushes together are complete and without repeats. */

const messenger = useMessenger();

// Many rounds, possibly on a busy machine.
jest.setTimeout(90_000);

/** What a socket received about one chat, in order. */
type Received = { by: "push" | "answer"; versions: number[]; version: number } | { by: "left" };

function receivedOf(device: Device, chatId: number, from = 0): Received[] {
  return device.frames.slice(from).flatMap(({ type, params }): Received[] => {
    if (type === "sync") {
      if (params.item.left.includes(chatId)) return [{ by: "left" }];
      const chat = params.item.chats.find((candidate: SyncChat) => candidate.chatId === chatId);
      return chat ? [{ by: "answer", versions: versionsOf(chat) ?? [], version: chat.version }] : [];
    }
    const { chatId: pushed, version } = params.item ?? {};
    return params.isBroadcast && pushed === chatId && version ? [{ by: "push", versions: [version], version }] : [];
  });
}

const rounds = 30;

describe("sync during concurrent changes", () => {
  test("a device that reconnects during a burst receives every version once and in order, by answer or by push", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const { chatId: dialogId } = await sendPrivately(ann.device, bob.id, "Hi");
    let known: KnownChat[] = [
      [groupId, 2, 2],
      [dialogId, 1, 0],
    ];
    for (let round = 0; round < rounds; round++) {
      const device = await bob.connect();
      const sent = numbers(1, 5).flatMap((n) => [
        sendToGroup(ann.device, groupId, `${n}`),
        sendPrivately(ann.device, bob.id, `${n}`),
      ]);
      await sent[round % sent.length];
      await syncWith(device, known);
      await Promise.all(sent);
      await device.settle();
      known = known.map(([chatId, version]): KnownChat => {
        const received = receivedOf(device, chatId);
        const at = received.findIndex(({ by }) => by === "answer");
        const answer = received[at] ?? { by: "answer", versions: [], version };
        if (answer.by === "left") throw new Error("reported as left to a member");
        const pushed = (list: Received[]) => list.flatMap((frame) => (frame.by === "push" ? frame.versions : []));
        // The answer repeats what was pushed before the request arrived, since it must be complete.
        const early = at < 0 ? [] : pushed(received.slice(0, at));
        const late = pushed(received.slice(at + 1));
        const last = version + 5;
        expect(early).toEqual(early.length === 0 ? [] : numbers(early[0] ?? 0, early.at(-1) ?? 0));
        expect(early.every((pushedVersion) => pushedVersion <= answer.version)).toBe(true);
        expect(answer.versions).toEqual(numbers(version + 1, answer.version));
        expect(late).toEqual(numbers(answer.version + 1, last));
        return [chatId, last, last];
      });
      await device.close();
    }
    expect(known.map(([, version]) => version)).toEqual([2 + rounds * 5, 1 + rounds * 5]);
  });

  test("a device that syncs repeatedly during bursts receives every push once, in order and without a gap", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const unchangedId = await createGroup(ann.device, [bob]);
    await bob.device.settle();
    const from = bob.device.frames.length;
    let version = 2;
    for (let round = 0; round < rounds; round++) {
      const sent = numbers(1, 10).map((n) => sendToGroup(ann.device, groupId, `${n}`));
      const synced = numbers(1, 3).map(() =>
        syncWith(bob.device, [
          [groupId, version, 0],
          [unchangedId, 2, 2],
        ]),
      );
      await sent[round % 10];
      synced.push(syncWith(bob.device, [[groupId, version, 0]]));
      await Promise.all([...sent, ...synced]);
      version += 10;
    }
    await bob.device.settle();
    let lastVersion = 2;
    for (const frame of receivedOf(bob.device, groupId, from)) {
      if (frame.by === "left") throw new Error("reported as left to a member");
      if (frame.by === "push") expect(frame.version).toBe(lastVersion + 1);
      else {
        expect(frame.version).toBeGreaterThanOrEqual(lastVersion);
        expect(frame.versions).toEqual(numbers(frame.versions[0] ?? frame.version + 1, frame.version));
        expect(frame.versions[0] ?? 0).toBeLessThanOrEqual(lastVersion + 1);
      }
      lastVersion = frame.version;
    }
    expect(lastVersion).toBe(version);
  });

  test("a sync about one chat delays no push of another chat", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    const otherId = await createGroup(ann.device, [bob]);
    await bob.device.settle();
    const from = bob.device.frames.length;
    for (let round = 0; round < rounds; round++) {
      const synced = syncWith(bob.device, [[otherId, 2, 0]], { range: [otherId, otherId] });
      await Promise.all([synced, sendToGroup(ann.device, groupId, "text")]);
    }
    await bob.device.settle();
    expect(receivedOf(bob.device, groupId, from)).toEqual(
      numbers(3, 2 + rounds).map((version) => ({ by: "push", versions: [version], version })),
    );
  });

  test("a member removed during a sync is notified by the answer or by a push after it, not by both", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    let version = 2;
    for (let round = 0; round < rounds; round++) {
      await bob.device.settle();
      const from = bob.device.frames.length;
      const removed = ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
      const synced = numbers(1, 3).map(() => syncWith(bob.device, [[groupId, version, 0]]));
      await Promise.all([removed, ...synced]);
      await bob.device.settle();
      const received = receivedOf(bob.device, groupId, from).map(({ by }) => by);
      const left = received.indexOf("left");
      if (left >= 0) expect(received.slice(left).every((by) => by === "left")).toBe(true);
      else expect(received).toContain("push");
      await ann.device.request("addUserInGroup", { groupId, userId: bob.id });
      version += 2;
    }
  });

  test("a member added again during a sync is notified by the answer or by a push after it", async () => {
    const { ann, bob } = await annAndBob(messenger());
    const groupId = await createGroup(ann.device, [bob]);
    let version = 2;
    for (let round = 0; round < rounds; round++) {
      await ann.device.request("removeUserFromGroup", { groupId, userId: bob.id });
      await bob.device.settle();
      const from = bob.device.frames.length;
      const synced = numbers(1, 3).map(() => syncWith(bob.device, [[groupId, version, 0]]));
      const added = ann.device.request("addUserInGroup", { groupId, userId: bob.id });
      await Promise.all([added, ...synced]);
      await bob.device.settle();
      expect(receivedOf(bob.device, groupId, from).at(-1)).toMatchObject({ version: version + 2 });
      version += 2;
    }
  });
});
