import { expect, test } from "@jest/globals";
import type { MessageChange } from "../src/domain/message.ts";
import type { Connections } from "../src/ws/connections.ts";
import { deliverChangesTo } from "../src/ws/fan-out.ts";
import { registry } from "../src/ws/registry.ts";
import type { OutgoingPush } from "../src/ws/reply-order.ts";
import { message } from "./support/scripted-changes.ts";

/* That every kind is pushed is checked by the compiler, see src/ws/fan-out.ts. */

test("no kind of change or signal is pushed under two message types", () => {
  const kinds = [...registry.values()].flatMap(({ push }) => push?.change ?? push?.signal ?? []);
  expect(kinds.length).toBeGreaterThan(10);
  expect(kinds).toEqual([...new Set(kinds)]);
});

test("a change of a kind that only a newer process knows is pushed like an edit", () => {
  const frames: string[] = [];
  const connections = {
    push: (_userIds: readonly number[], make: () => OutgoingPush) => frames.push(`${make().frame}`),
  };
  const change = { kind: "poll", by: 1 } as unknown as MessageChange;
  deliverChangesTo(connections as unknown as Connections)({ message: { ...message(5), change }, recipientIds: [1] });
  expect(frames.join()).toContain('"type":"editMessage"');
  expect(frames.join()).toContain('"change":{"kind":"poll","by":1}');
});
