import type { Change } from "../domain/change.ts";
import type { StoredEvent } from "../domain/event.ts";
import type { ChatMessage } from "../domain/message.ts";

/** The users who became members of a chat, and those who stopped being members, through one event. */
export interface MembershipChange {
  joined: readonly number[];
  left: readonly number[];
}

const unchanged: MembershipChange = { joined: [], left: [] };

/** Returns who joined and who left the chat through an event. */
export function membershipChangeOf(event: StoredEvent | null): MembershipChange {
  if (!event) return unchanged;
  switch (event.kind) {
    case "groupCreated":
      return { joined: [event.byUserId], left: [] };
    case "memberAdded":
      return { joined: subjectOf(event), left: [] };
    case "memberRemoved":
      return { joined: [], left: subjectOf(event) };
    case "memberLeft":
      return { joined: [], left: [event.byUserId] };
    case "groupDeleted":
      return { joined: [], left: event.memberIds ?? [] };
    case "groupRenamed":
    case "avatarChanged":
    case "roleChanged":
    case "ownershipTransferred":
      return unchanged;
    default:
      return event.kind satisfies never;
  }
}

const subjectOf = ({ userId }: StoredEvent): readonly number[] => (userId === undefined ? [] : [userId]);

/** Returns the recipients of a change: the members of the chat after it, and the users who joined or left through it. */
export function recipientsOf({ event }: ChatMessage, memberIds: Iterable<number>): number[] {
  const { joined, left } = membershipChangeOf(event);
  return [...new Set([...memberIds, ...joined, ...left])];
}

/** Changes of a chat read from the store, in order of their versions. */
export interface StoredPage {
  messages: readonly ChatMessage[];
  /** The system messages after this page. */
  laterEvents: readonly ChatMessage[];
  /** The members of the chat after all of these. */
  memberIds: readonly number[];
}

/**
 * Returns the changes of a page with their recipients. Only the current members are stored, so the members at the time
 * of each change are found by undoing the later events, from the last one backwards.
 */
export function withRecipients({ messages, laterEvents, memberIds }: StoredPage): Change[] {
  const members = new Set(memberIds);
  for (const message of [...laterEvents].reverse()) undoMembershipChange(message, members);
  const changes = [...messages].reverse().map((message) => {
    const change = { message, recipientIds: recipientsOf(message, members) };
    undoMembershipChange(message, members);
    return change;
  });
  return changes.reverse();
}

function undoMembershipChange({ event }: ChatMessage, members: Set<number>): void {
  const { joined, left } = membershipChangeOf(event);
  for (const userId of joined) members.delete(userId);
  for (const userId of left) members.add(userId);
}
