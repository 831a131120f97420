import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { SessionUse } from "../src/services/accounts/session-use.ts";

/* When sessions were last used is written in the background. */

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("uses of several sessions are written together, each session once", async () => {
  const written: (readonly number[])[] = [];
  const use = new SessionUse(async (ids) => void written.push(ids));
  for (const id of [1, 2, 1, 3, 1]) use.note(id);
  expect([...use.unwritten().keys()]).toEqual([1, 2, 3]);
  await jest.advanceTimersByTimeAsync(1000);
  expect(written).toEqual([[1, 2, 3]]);
  expect(use.unwritten().size).toBe(0);
  await jest.advanceTimersByTimeAsync(600_000);
  expect(written).toHaveLength(1);
});

test("uses that cannot be written fail nobody, are counted, and are written with later ones once that is possible", async () => {
  const written: (readonly number[])[] = [];
  let isReadOnly = true;
  const use = new SessionUse(async (ids) => {
    if (isReadOnly) throw new Error("cannot execute UPDATE in a read-only transaction");
    written.push(ids);
  });
  use.note(1);
  await jest.advanceTimersByTimeAsync(1000);
  expect(use.failures).toBe(1);
  for (let second = 0; second < 20; second++) {
    use.note(2);
    await jest.advanceTimersByTimeAsync(1000);
  }
  expect(use.failures).toBe(1);
  isReadOnly = false;
  await jest.advanceTimersByTimeAsync(30_000);
  expect(written).toEqual([[1, 2]]);
});
