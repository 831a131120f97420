import { expect, test } from "@jest/globals";
import { registry } from "../src/ws/registry.ts";

/* That every kind is pushed is checked by the compiler, see src/ws/fan-out.ts. */

test("no kind of change or signal is pushed under two message types", () => {
  const kinds = [...registry.values()].flatMap(({ push }) => push?.change ?? push?.signal ?? []);
  expect(kinds.length).toBeGreaterThan(10);
  expect(kinds).toEqual([...new Set(kinds)]);
});
