import { describe, expect, test } from "@jest/globals";
import { membershipChangeOf, recipientsOf, withRecipients } from "../src/delivery/recipients.ts";
import type { EventKind, StoredEvent } from "../src/domain/event.ts";
import { eventMessage, joined, left, message } from "./support/scripted-changes.ts";

/* Who receives a change, and the members of a chat at the time of an earlier change. */

describe("recipients", () => {
  const events: Record<EventKind, { event: StoredEvent; joined: number[]; left: number[] }> = {
    groupCreated: { event: { kind: "groupCreated", byUserId: 1, groupName: "x" }, joined: [1], left: [] },
    groupRenamed: { event: { kind: "groupRenamed", byUserId: 1, groupName: "x" }, joined: [], left: [] },
    avatarChanged: { event: { kind: "avatarChanged", byUserId: 1, avatarId: "x" }, joined: [], left: [] },
    groupDeleted: { event: { kind: "groupDeleted", byUserId: 1, memberIds: [1, 2] }, joined: [], left: [1, 2] },
    memberAdded: { event: { kind: "memberAdded", byUserId: 1, userId: 2 }, joined: [2], left: [] },
    memberRemoved: { event: { kind: "memberRemoved", byUserId: 1, userId: 2 }, joined: [], left: [2] },
    memberLeft: { event: { kind: "memberLeft", byUserId: 2 }, joined: [], left: [2] },
    roleChanged: { event: { kind: "roleChanged", byUserId: 1, userId: 2, role: "admin" }, joined: [], left: [] },
    ownershipTransferred: { event: { kind: "ownershipTransferred", byUserId: 1, userId: 2 }, joined: [], left: [] },
  };

  test.each(Object.values(events))("of $event.kind are the members and those who joined or left", (expected) => {
    const { event, ...membershipChange } = expected;
    expect(membershipChangeOf(event)).toEqual(membershipChange);
    const recipientIds = recipientsOf(eventMessage(1, event), [1, 3]);
    expect(recipientIds.sort()).toEqual([...new Set([1, 3, ...expected.joined, ...expected.left])].sort());
  });

  test("of stored changes are the members at the time of each change", () => {
    const changes = withRecipients({
      messages: [message(1), joined(2, 2), message(3)],
      laterEvents: [left(5, 3)],
      memberIds: [1, 2],
    });
    expect(changes.map(({ recipientIds }) => [...recipientIds].sort())).toEqual([
      [1, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });
});
