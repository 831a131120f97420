import { afterEach, expect, jest, test } from "@jest/globals";
import { continueAfter, uuid } from "../src/ids.ts";

afterEach(() => {
  jest.restoreAllMocks();
});

const isRising = (ids: readonly string[]) => ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? ""));

test("ids are UUIDs of version 7 with the current time", () => {
  const id = uuid();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Math.abs(Number.parseInt(id.replace("-", "").slice(0, 12), 16) - Date.now())).toBeLessThan(5000);
});

test("ids rise, also more than 4096 in a millisecond", () => {
  jest.spyOn(Date, "now").mockReturnValue(Date.now() + 1000);
  const ids = Array.from({ length: 10_000 }, uuid);
  expect(isRising(ids)).toBe(true);
  expect(new Set(ids).size).toBe(10_000);
});

test("ids rise after the clock was set back", () => {
  const before = uuid();
  jest.spyOn(Date, "now").mockReturnValue(Date.now() - 3_600_000);
  expect(isRising([before, uuid(), uuid()])).toBe(true);
});

test("ids rise over those that an earlier run has made with a clock that was ahead", () => {
  const ahead = "ffff0000-0000-7fff-bfff-ffffffffffff";
  continueAfter(ahead);
  expect(isRising([ahead, uuid(), uuid()])).toBe(true);
  continueAfter("00000000-0000-7000-8000-000000000000");
  expect(uuid() > ahead).toBe(true);
});
