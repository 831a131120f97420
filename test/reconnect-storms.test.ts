import { describe, expect, test } from "@jest/globals";
import { BatchLoader } from "../src/concurrency/batch-loader.ts";
import { FairQueue } from "../src/concurrency/fair-queue.ts";

/** Work that the test completes. */
function controlled<T>() {
  const begun: { ids: number[]; end: (found: T) => void; fail: (error: Error) => void }[] = [];
  const run = (ids: number[]) => new Promise<T>((resolve, reject) => begun.push({ ids, end: resolve, fail: reject }));
  return { begun, run };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("a batch loader", () => {
  test("puts requests that arrive during a load into the next one", async () => {
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

  test("fails only the requests of the load that failed", async () => {
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

describe("a fair queue", () => {
  test("limits concurrency and runs the rest in order, also after failures", async () => {
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

  test("serves a user with one task before the rest of a user with a hundred", async () => {
    const { begun, run } = controlled<string>();
    const turns = new FairQueue(2);
    const greedy = Array.from({ length: 100 }, (_, index) => turns.run(1, () => run([index])));
    const modest = [2, 3].map((person) => turns.run(person, () => run([-person])));
    await settle();
    // The user with a hundred tasks occupies one slot, the other is free.
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
