import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import type { Device } from "./support/device.ts";
import { useMessenger } from "./support/messenger.ts";
import { createGroup, listChats, numbers, participants, sendPrivately } from "./support/scenes.ts";

/* The order of answers, messages and pushes when several devices send at the same time. */

const messenger = useMessenger();

/** Sends all frames without waiting, then returns their answers. */
async function sendAtOnce(device: Device, frames: readonly { type: string; params: object }[]) {
  const before = device.frames.length;
  for (const [requestId, frame] of frames.entries()) device.send({ ...frame, requestId });
  const answers = () => device.frames.slice(before).filter(({ requestId }) => typeof requestId === "number");
  while (answers().length < frames.length) {
    await once(device.socket, "message", { signal: AbortSignal.timeout(5000) });
  }
  return answers();
}

describe("concurrent requests", () => {
  test("of one device, a hundred at once, are answered in order", async () => {
    const [ann, bob] = await participants(messenger(), 1, 1);
    const groupId = await createGroup(ann.device);
    const frames = numbers(1, 100).map((n) => {
      if (n % 4 === 0) return { type: "listLastMessage", params: { limit: 1, page: 1 } };
      if (n % 4 === 1) return { type: "messageInGroup", params: { groupId, content: "group" } };
      if (n % 4 === 2) return { type: "leaveGroup", params: { groupId: 999_999 } };
      return { type: "privateMessage", params: { receiverId: bob.id, content: "private" } };
    });
    const before = ann.device.frames.length;
    const answers = await sendAtOnce(ann.device, frames);
    await ann.device.settle();
    expect(ann.device.frames.slice(before, -1)).toEqual(answers);
    expect(answers.map(({ requestId, type }) => ({ requestId, type }))).toEqual(
      frames.map(({ type }, requestId) => ({ requestId, type })),
    );
    // A list requested after a message includes it.
    for (const [index, { type, params }] of answers.entries()) {
      if (type === "listLastMessage") expect(params.data[0].seq).toBe(answers[index - 1].params.item.seq);
    }
  });

  test("of four devices that write to a group get numbers without a gap, and each device receives every message once", async () => {
    const [ann, bob] = await participants(messenger(), 2, 2);
    const groupId = await createGroup(ann.device, [bob], "busy");
    const devices = [...ann.devices, ...bob.devices];
    const listener = await ann.connect();
    for (const device of [...devices, listener]) await device.settle();
    const before = [...devices, listener].map((device) => device.frames.length);
    const each = 50;
    await Promise.all(
      devices.map((device, index) =>
        sendAtOnce(
          device,
          numbers(1, each).map((n) => ({
            type: "messageInGroup",
            params: { groupId, content: `device ${index}: ${n}` },
          })),
        ),
      ),
    );
    for (const device of [...devices, listener]) await device.settle();

    const last = devices.length * each;
    const logs = [...devices, listener].map((device, index) =>
      device.frames.slice(before[index], -1).map(({ params }) => params),
    );
    const textsInOrder = logs[0]?.map(({ item }) => item.message);
    for (const [index, log] of logs.entries()) {
      expect(log.map(({ item }) => item.version)).toEqual(numbers(3, last + 2));
      expect(log.map(({ item }) => item.seq)).toEqual(numbers(3, last + 2));
      expect(log.map(({ item }) => item.message)).toEqual(textsInOrder);
      const answers = log.filter(({ isBroadcast }) => !isBroadcast).map(({ item }) => item.message);
      expect(answers).toEqual(index < devices.length ? numbers(1, each).map((n) => `device ${index}: ${n}`) : []);
    }
    const pages = [];
    for (const page of [1, 2, 3]) {
      const answer = await ann.device.request("getlatestMessageGroup", { groupId, limit: 100, page });
      pages.push(...answer.params.data);
    }
    expect(pages.reverse().map(({ content }) => content)).toEqual([
      expect.stringContaining("created the group"),
      expect.stringContaining("added"),
      ...(textsInOrder ?? []),
    ]);
  });

  test("of both sides of a dialog are received by all their devices in the same order", async () => {
    const [ann, bob] = await participants(messenger(), 2, 2);
    const devices = [...ann.devices, ...bob.devices];
    await Promise.all(
      devices.map((device, index) => {
        const receiverId = index < 2 ? bob.id : ann.id;
        return sendAtOnce(
          device,
          numbers(1, 15).map((n) => ({ type: "privateMessage", params: { receiverId, content: `${index}: ${n}` } })),
        );
      }),
    );
    for (const device of devices) await device.settle();
    const logs = devices.map((device) => device.frames.slice(0, -1).map(({ params: { item } }) => item));
    for (const log of logs) expect(log.map(({ version }) => version)).toEqual(numbers(1, 60));
    const texts = logs.map((log) => log.map(({ message }) => message));
    for (const log of texts) expect(log).toEqual(texts[0]);
  });
});

describe("the first messages of two people", () => {
  test("sent at the same time open one dialog", async () => {
    for (let round = 0; round < 5; round++) {
      const [ann, bob] = await participants(messenger(), 1, 1);
      const items = await Promise.all([
        sendPrivately(ann.device, bob.id, "from Ann"),
        sendPrivately(bob.device, ann.id, "from Bob"),
        sendPrivately(ann.device, bob.id, "from Ann again"),
      ]);
      expect(new Set(items.map(({ chatId }) => chatId)).size).toBe(1);
      expect(items.map(({ seq }) => seq).sort()).toEqual([1, 2, 3]);
      for (const { device } of [ann, bob]) expect(await listChats(device)).toHaveLength(1);
    }
  });
});
