import { describe, expect, test } from "@jest/globals";
import { BatchLoader } from "../src/concurrency/batch-loader.ts";
import { FairQueue } from "../src/concurrency/fair-queue.ts";

/** Work that ends when the test says so. */
function controlled<T>() {
  const begun: { ids: number[]; end: (found: T) => void; fail: (error: Error) => void }[] = [];
  const run = (ids: number[]) => new Promise<T>((resolve, reject) => begun.push({ ids, end: resolve, fail: reject }));
  return { begun, run };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("looking up for many at once", () => {
  test("who asks during a look shares the next one, which begins afterwards", async () => {
    const { begun, run } = controlled<Map<number, string>>();
    const gathered = new BatchLoader(run);
    const first = gathered.load(1);
    const [again, second, nobody] = [gathered.load(1), gathered.load(2), gathered.load(3)];
    expect(begun.map(({ ids }) => ids)).toEqual([[1]]);
    begun[0]?.end(new Map([[1, "one, as it was"]]));
    expect(await first).toBe("one, as it was");
    await settle();
    expect(begun.map(({ ids }) => ids)).toEqual([[1], [1, 2, 3]]);
    begun[1]?.end(
      new Map([
        [1, "one, as it is"],
        [2, "two"],
      ]),
    );
    expect(await Promise.all([again, second, nobody])).toEqual(["one, as it is", "two", undefined]);
  });

  test("a look that fails fails those who shared it, and nobody after them", async () => {
    const { begun, run } = controlled<Map<number, string>>();
    const gathered = new BatchLoader(run);
    const first = gathered.load(1);
    const second = gathered.load(2);
    begun[0]?.fail(new Error("away"));
    await expect(first).rejects.toThrow("away");
    await settle();
    begun[1]?.end(new Map([[2, "two"]]));
    expect(await second).toBe("two");
  });
});

describe("taking turns", () => {
  test("only so many run at a time, and the others follow in their order, whatever becomes of those before", async () => {
    const { begun, run } = controlled<string>();
    const turns = new FairQueue(2);
    const work = [1, 2, 3, 4].map((id) => turns.run(id, () => run([id])));
    await settle();
    expect(begun.map(({ ids }) => ids)).toEqual([[1], [2]]);
    begun[1]?.fail(new Error("no"));
    await expect(work[1]).rejects.toThrow("no");
    await settle();
    expect(begun.map(({ ids }) => ids)).toEqual([[1], [2], [3]]);
    for (const place of [0, 2]) begun[place]?.end("done");
    await settle();
    begun[3]?.end("done");
    expect(await Promise.all([work[0], work[2], work[3]])).toEqual(["done", "done", "done"]);
  });

  test("who asks for a hundred things is served in turns with who asks for one", async () => {
    const { begun, run } = controlled<string>();
    const turns = new FairQueue(2);
    const greedy = Array.from({ length: 100 }, (_, index) => turns.run(1, () => run([index])));
    const modest = [2, 3].map((person) => turns.run(person, () => run([-person])));
    await settle();
    // One place is free beside the greedy one, who has no more than one.
    expect(begun.map(({ ids }) => ids)).toEqual([[0], [-2]]);
    begun[0]?.end("done");
    await settle();
    expect(begun.map(({ ids }) => ids)).toEqual([[0], [-2], [-3]]);
    for (let next = 1; next < 102; next++) {
      begun[next]?.end("done");
      await settle();
    }
    expect(await Promise.all([...greedy, ...modest])).toHaveLength(102);
  });
});
