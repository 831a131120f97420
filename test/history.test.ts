import { describe, expect, test } from "@jest/globals";
import { useMessenger } from "./support/messenger.ts";
import { annAndBob, createGroup, errorOf, numbers, participants, sendPrivately, unknownId } from "./support/scenes.ts";
import { insertMessages } from "./support/sync.ts";

/* Reading the messages of a chat before, after or around a position. */

const messenger = useMessenger();

describe("reading a chat from a position", () => {
  /** A dialog of ten messages, "1" to "10". */
  async function tenMessages() {
    const { ann, bob } = await annAndBob(messenger());
    const { chatId } = await sendPrivately(ann.device, bob.id, "1");
    for (const n of numbers(2, 10)) await sendPrivately(ann.device, bob.id, `${n}`);
    const read = async (position: { before?: number; after?: number; around?: number; limit: number }) => {
      const { params } = await bob.device.request("getMessages", { chatId, ...position });
      return { seqs: params.data.map(({ seq }) => seq), hasMore: params.item.hasMore };
    };
    return { ann, bob, chatId, read };
  }

  test("returns a page ordered by seq, with hasMore for the requested direction", async () => {
    const { read } = await tenMessages();
    expect(await read({ limit: 4 })).toEqual({ seqs: [7, 8, 9, 10], hasMore: true });
    expect(await read({ limit: 10 })).toEqual({ seqs: numbers(1, 10), hasMore: false });
    expect(await read({ limit: 100 })).toMatchObject({ hasMore: false });
    expect(await read({ before: 7, limit: 3 })).toEqual({ seqs: [4, 5, 6], hasMore: true });
    expect(await read({ before: 4, limit: 3 })).toEqual({ seqs: [1, 2, 3], hasMore: false });
    expect(await read({ before: 1, limit: 3 })).toEqual({ seqs: [], hasMore: false });
    expect(await read({ before: 500, limit: 2 })).toEqual({ seqs: [9, 10], hasMore: true });
    expect(await read({ after: 4, limit: 3 })).toEqual({ seqs: [5, 6, 7], hasMore: true });
    expect(await read({ after: 7, limit: 3 })).toEqual({ seqs: [8, 9, 10], hasMore: false });
    expect(await read({ after: 10, limit: 3 })).toEqual({ seqs: [], hasMore: false });
    expect(await read({ after: 500, limit: 3 })).toEqual({ seqs: [], hasMore: false });
  });

  test("after 0 returns the first messages", async () => {
    const { read } = await tenMessages();
    expect(await read({ after: 0, limit: 3 })).toEqual({ seqs: [1, 2, 3], hasMore: true });
  });

  test.each(["before", "after", "around"] as const)(
    "%s returns the nearest messages that fit into 512 KiB, and hasMore",
    async (direction) => {
      const { ann, bob } = await annAndBob(messenger());
      const { chatId } = await sendPrivately(ann.device, bob.id, "Hi");
      // 24 KiB each.
      await insertMessages(messenger(), { chatId, senderId: ann.id, count: 99, content: "漢".repeat(8192) });
      const cursor = { before: 101, after: 0, around: 50 }[direction];
      const answer = await bob.device.request("getMessages", { chatId, [direction]: cursor, limit: 100 });
      const seqs = answer.params.data.map(({ seq }) => seq);
      expect(JSON.stringify(answer.params.data).length).toBeLessThan(512 * 1024);
      expect(answer.params.item.hasMore).toBe(true);
      expect(seqs).toEqual(numbers(seqs[0] ?? 0, seqs.at(-1) ?? 0));
      expect(seqs.length).toBeGreaterThan(15);
      const [first = 0, last = 0] = [seqs[0], seqs.at(-1)];
      if (direction === "before") expect(last).toBe(100);
      if (direction === "after") expect(first).toBe(1);
      if (direction === "around") expect(Math.abs(last - 50 - (50 - first))).toBeLessThanOrEqual(1);
    },
  );

  test("around a message returns both sides, with hasMore while either side continues", async () => {
    const { read } = await tenMessages();
    expect(await read({ around: 5, limit: 1 })).toEqual({ seqs: [5], hasMore: true });
    expect(await read({ around: 5, limit: 5 })).toEqual({ seqs: [3, 4, 5, 6, 7], hasMore: true });
    const atTheStart = await read({ around: 1, limit: 5 });
    expect(atTheStart.seqs.slice(0, 3)).toEqual([1, 2, 3]);
    expect(atTheStart.hasMore).toBe(true);
    const atTheEnd = await read({ around: 10, limit: 5 });
    expect(atTheEnd.seqs.slice(-3)).toEqual([8, 9, 10]);
    expect(atTheEnd.hasMore).toBe(true);
    expect(await read({ around: 5, limit: 100 })).toEqual({ seqs: numbers(1, 10), hasMore: false });
  });

  test.each([{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, {}, { limit: 5, before: 0 }, { limit: 5, after: "1" }])(
    "with a position or a limit out of bounds is rejected: %j",
    async (params) => {
      const { bob, chatId } = await tenMessages();
      expect(await bob.device.requestError("getMessages", { chatId, ...params })).toMatchObject({ code: "VALIDATION" });
    },
  );

  test("with two positions at once is rejected", async () => {
    const { bob, chatId } = await tenMessages();
    for (const positions of [
      { before: 5, after: 2 },
      { before: 5, around: 2 },
      { after: 5, around: 2 },
      { before: 5, after: 2, around: 3 },
    ]) {
      const answer = await bob.device.requestError("getMessages", { chatId, limit: 5, ...positions });
      expect(answer).toMatchObject({ code: "VALIDATION" });
    }
  });

  test("by a stranger or an ex-member is rejected with the error for an unknown chat", async () => {
    const [owner, exMember, stranger] = await participants(messenger(), 1, 1, 1);
    const groupId = await createGroup(owner.device, [exMember]);
    await owner.device.request("removeUserFromGroup", { groupId, userId: exMember.id });
    const unknown = await errorOf(stranger.device, "getMessages", { chatId: unknownId, limit: 5 });
    expect(unknown).toMatchObject({ code: "NOT_MEMBER" });
    expect(await errorOf(stranger.device, "getMessages", { chatId: groupId, limit: 5 })).toEqual(unknown);
    expect(await errorOf(exMember.device, "getMessages", { chatId: groupId, limit: 5 })).toEqual(unknown);
  });

  test("returns only later messages of a cleared dialog, whatever the position", async () => {
    const { ann, bob, read } = await tenMessages();
    await bob.device.request("clearDialog", { receiverId: ann.id });
    expect(await read({ limit: 5 })).toEqual({ seqs: [], hasMore: false });
    await sendPrivately(ann.device, bob.id, "11");
    await sendPrivately(ann.device, bob.id, "12");
    expect(await read({ limit: 1 })).toEqual({ seqs: [12], hasMore: true });
    expect(await read({ before: 12, limit: 5 })).toEqual({ seqs: [11], hasMore: false });
    expect(await read({ before: 5, limit: 5 })).toEqual({ seqs: [], hasMore: false });
    expect(await read({ after: 1, limit: 1 })).toEqual({ seqs: [11], hasMore: true });
    expect(await read({ around: 11, limit: 5 })).toEqual({ seqs: [11, 12], hasMore: false });
    expect((await read({ around: 3, limit: 3 })).seqs.every((seq) => seq > 10)).toBe(true);
  });
});
