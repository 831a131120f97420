import { describe, expect, test } from "@jest/globals";
import type { StoredPage } from "../src/delivery/recipients.ts";
import { type ChangeStore, type Gap, StoreReads } from "../src/delivery/store-reads.ts";
import { numbers } from "./support/scenes.ts";
import { message } from "./support/scripted-changes.ts";

/* Reads of missing changes for many chats at once. */

const manyChats = numbers(1, 1000);

/** Reads from a store that counts its calls; every chat has `stored` versions. */
function readsFrom({
  stored = 1,
  fails = () => false,
}: {
  stored?: number;
  fails?: (gaps: readonly Gap[]) => boolean;
} = {}) {
  const calls: Record<"starts" | "together" | "alone" | "waits", number> = {
    starts: 0,
    together: 0,
    alone: 0,
    waits: 0,
  };
  const concurrency = { now: 0, max: 0 };
  async function called<T>(what: keyof typeof calls, answer: () => T): Promise<T> {
    calls[what]++;
    concurrency.max = Math.max(concurrency.max, ++concurrency.now);
    await new Promise(setImmediate);
    concurrency.now--;
    return answer();
  }
  const pageOf = ({ after }: Gap, limit: number): StoredPage => ({
    messages: numbers(after + 1, Math.min(stored, after + limit)).map(message),
    laterEvents: [],
    memberIds: [1],
  });
  const store: ChangeStore = {
    startVersions: (ids) => called("starts", () => ids.map((chatId) => ({ chatId, version: chatId }))),
    changesOfChats: (gaps, limit) =>
      called("together", () => {
        if (fails(gaps)) throw new Error("unreadable");
        return gaps.map((gap) => pageOf(gap, limit));
      }),
    changesAfter: (gap, limit) =>
      called("alone", () => {
        if (fails([gap])) throw new Error("unreadable");
        return pageOf(gap, limit);
      }),
    waitForWriters: () => called("waits", () => {}),
  };
  return { reads: new StoreReads(store), calls, concurrency };
}

describe("reads of missing changes", () => {
  test("of a thousand chats need few statements, one at a time of each kind", async () => {
    const { reads, calls, concurrency } = readsFrom();
    const starts = manyChats.map((chatId) => reads.startVersion(chatId));
    const pages = manyChats.map((chatId) => reads.changesAfter({ chatId, after: 0 }));
    expect(await Promise.all(starts)).toEqual(manyChats);
    expect((await Promise.all(pages)).map(({ page, isLast }) => [page.messages.length, isLast])).toEqual(
      manyChats.map(() => [1, true]),
    );
    expect(calls.starts + calls.together + calls.alone).toBeLessThan(20);
    expect(concurrency.max).toBe(2);
  });

  test("wait for the writers of few chats at a time", async () => {
    const { reads, calls, concurrency } = readsFrom();
    await Promise.all(manyChats.slice(0, 50).map((chatId) => reads.waitForWriters(chatId)));
    expect(calls.waits).toBe(50);
    expect(concurrency.max).toBe(2);
  });

  test("read a chat with many changes alone, in larger pages", async () => {
    const { reads } = readsFrom({ stored: 600 });
    const pages = [1, 2, 3].map((chatId) => reads.changesAfter({ chatId, after: 0 }));
    for (const { page, isLast } of await Promise.all(pages)) {
      expect(page.messages).toHaveLength(500);
      expect(isLast).toBe(false);
    }
  });

  test("of a chat that cannot be read hold up no other", async () => {
    const { reads } = readsFrom({ fails: (gaps) => gaps.some(({ chatId }) => chatId === 3) });
    const results = await Promise.allSettled([1, 2, 3, 4].map((chatId) => reads.changesAfter({ chatId, after: 0 })));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  });
});
