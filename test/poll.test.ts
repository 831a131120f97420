import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { poll } from "../src/jobs/poll.ts";
import { createLogger } from "../src/logger.ts";

describe("a poll", () => {
  let lines: string[] = [];
  const log = createLogger({
    level: "info",
    readable: false,
    destination: { write: (line) => void lines.push(JSON.parse(line).msg) },
  });
  const common = { description: "the task", intervalMs: 1000, log };

  beforeEach(() => {
    jest.useFakeTimers();
    lines = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** A task whose runs the test ends one by one. */
  function controlledTask() {
    const ends: (() => void)[] = [];
    const task = jest.fn(() => new Promise<undefined>((resolve) => ends.push(() => resolve(undefined))));
    return { task, end: () => ends.shift()?.() };
  }

  test("runs its task at every interval until it is stopped", async () => {
    const task = jest.fn(async () => undefined);
    const stop = poll({ ...common, task });
    await jest.advanceTimersByTimeAsync(999);
    expect(task).toHaveBeenCalledTimes(0);
    await jest.advanceTimersByTimeAsync(2001);
    expect(task).toHaveBeenCalledTimes(3);
    stop();
    await jest.advanceTimersByTimeAsync(5000);
    expect(task).toHaveBeenCalledTimes(3);
  });

  test("runs its task immediately on request", async () => {
    const task = jest.fn(async () => undefined);
    const stop = poll({ ...common, runsAtStart: true, task });
    expect(task).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1000);
    expect(task).toHaveBeenCalledTimes(2);
    stop();
  });

  test("skips the runs that a long run misses, and keeps its rhythm", async () => {
    const { task, end } = controlledTask();
    const stop = poll({ ...common, task });
    await jest.advanceTimersByTimeAsync(3500);
    expect(task).toHaveBeenCalledTimes(1);
    end();
    await jest.advanceTimersByTimeAsync(499);
    expect(task).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(2);
    stop();
  });

  test("runs again after the delay that its task returns", async () => {
    const delays = [50, 50];
    const task = jest.fn(async () => delays.shift());
    const stop = poll({ ...common, task });
    await jest.advanceTimersByTimeAsync(1100);
    expect(task).toHaveBeenCalledTimes(3);
    await jest.advanceTimersByTimeAsync(999);
    expect(task).toHaveBeenCalledTimes(3);
    await jest.advanceTimersByTimeAsync(1);
    expect(task).toHaveBeenCalledTimes(4);
    stop();
  });

  test("does not run again if it is stopped during a run", async () => {
    const { task, end } = controlledTask();
    const stop = poll({ ...common, task });
    await jest.advanceTimersByTimeAsync(1000);
    stop();
    end();
    await jest.advanceTimersByTimeAsync(5000);
    expect(task).toHaveBeenCalledTimes(1);
  });

  test("continues after failures and logs them once until its task succeeds", async () => {
    const outcomes = ["failure", "failure", "success", "success", "failure"];
    const task = jest.fn(async () => {
      if (outcomes.shift() === "failure") throw new Error("no database");
      return undefined;
    });
    const stop = poll({ ...common, task });
    await jest.advanceTimersByTimeAsync(5000);
    expect(task).toHaveBeenCalledTimes(5);
    expect(lines).toEqual(["the task failed; retrying", "the task works again", "the task failed; retrying"]);
    stop();
  });

  test("does not log the failure of a run during which it was stopped", async () => {
    const fails: (() => void)[] = [];
    const stop = poll({
      ...common,
      task: () => new Promise((_, reject) => fails.push(() => reject(new Error("the database is closed")))),
    });
    await jest.advanceTimersByTimeAsync(1000);
    stop();
    fails.shift()?.();
    await jest.advanceTimersByTimeAsync(1000);
    expect(lines).toEqual([]);
  });
});
