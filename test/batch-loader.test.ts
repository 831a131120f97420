import { describe, expect, test } from "@jest/globals";
import { BatchLoader } from "../src/concurrency/batch-loader.ts";
import { controlledWork, settle } from "./support/controlled-work.ts";

describe("a batch loader", () => {
  test("puts requests that arrive during a load into the next one", async () => {
    const { started, run } = controlledWork<Map<number, string>>();
    const loader = new BatchLoader(run);
    const first = loader.load(1);
    const [again, second, missing] = [loader.load(1), loader.load(2), loader.load(3)];
    expect(started.map(({ ids }) => ids)).toEqual([[1]]);
    started[0]?.end(new Map([[1, "one, before"]]));
    expect(await first).toBe("one, before");
    await settle();
    expect(started.map(({ ids }) => ids)).toEqual([[1], [1, 2, 3]]);
    started[1]?.end(
      new Map([
        [1, "one, after"],
        [2, "two"],
      ]),
    );
    expect(await Promise.all([again, second, missing])).toEqual(["one, after", "two", undefined]);
  });

  test("fails only the requests of the load that failed", async () => {
    const { started, run } = controlledWork<Map<number, string>>();
    const loader = new BatchLoader(run);
    const first = loader.load(1);
    const second = loader.load(2);
    started[0]?.fail(new Error("unavailable"));
    await expect(first).rejects.toThrow("unavailable");
    await settle();
    started[1]?.end(new Map([[2, "two"]]));
    expect(await second).toBe("two");
  });
});
