import { describe, expect, test } from "@jest/globals";
import { FairQueue } from "../src/concurrency/fair-queue.ts";
import { controlledWork, settle } from "./support/controlled-work.ts";

describe("a fair queue", () => {
  test("limits concurrency and runs the rest in order, also after failures", async () => {
    const { started, run } = controlledWork<string>();
    const queue = new FairQueue(2);
    const work = [1, 2, 3, 4].map((id) => queue.run(id, () => run([id])));
    await settle();
    expect(started.map(({ ids }) => ids)).toEqual([[1], [2]]);
    started[1]?.fail(new Error("no"));
    await expect(work[1]).rejects.toThrow("no");
    await settle();
    expect(started.map(({ ids }) => ids)).toEqual([[1], [2], [3]]);
    for (const place of [0, 2]) started[place]?.end("done");
    await settle();
    started[3]?.end("done");
    expect(await Promise.all([work[0], work[2], work[3]])).toEqual(["done", "done", "done"]);
  });

  test("serves a user with one task before the rest of a user with a hundred", async () => {
    const { started, run } = controlledWork<string>();
    const queue = new FairQueue(2);
    const manyTasks = Array.from({ length: 100 }, (_, index) => queue.run(1, () => run([index])));
    const singleTasks = [2, 3].map((userId) => queue.run(userId, () => run([-userId])));
    await settle();
    // The user with a hundred tasks occupies one slot, the other is free.
    expect(started.map(({ ids }) => ids)).toEqual([[0], [-2]]);
    started[0]?.end("done");
    await settle();
    expect(started.map(({ ids }) => ids)).toEqual([[0], [-2], [-3]]);
    for (let next = 1; next < 102; next++) {
      started[next]?.end("done");
      await settle();
    }
    expect(await Promise.all([...manyTasks, ...singleTasks])).toHaveLength(102);
  });
});
