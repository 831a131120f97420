import type { StoredMessage } from "./final-state.ts";

/** A user joined or left a group. */
interface MembershipChange {
  seq: number;
  version: number;
  isMember: boolean;
}

const joinEvents = ["groupCreated", "memberAdded"];
const leaveEvents = ["memberLeft", "memberRemoved"];

/** The members of each group at any time, reconstructed from the system messages in its history. */
export class Membership {
  private readonly changes = new Map<string, MembershipChange[]>();

  /** @param rows ordered by `seq` within each chat */
  constructor(rows: Iterable<Pick<StoredMessage, "chatId" | "seq" | "version" | "event">>) {
    for (const { chatId, seq, version, event } of rows) {
      if (!event || ![...joinEvents, ...leaveEvents].includes(event.kind)) continue;
      const key = `${event.userId ?? event.byUserId} ${chatId}`;
      const change = { seq, version, isMember: joinEvents.includes(event.kind) };
      this.changes.set(key, [...(this.changes.get(key) ?? []), change]);
    }
  }

  /** Whether the user is a member when the chat is at this `seq` or `version`. */
  isMember(userId: number, chatId: number, at: { seq: number } | { version: number }): boolean {
    return this.lastChange(userId, chatId, at)?.isMember ?? false;
  }

  /** Whether the change with this version is delivered to the user: as a member, or as the one whose membership it ends. */
  receives(userId: number, chatId: number, version: number): boolean {
    const change = this.lastChange(userId, chatId, { version });
    return change !== undefined && (change.isMember || change.version === version);
  }

  private lastChange(
    userId: number,
    chatId: number,
    at: { seq: number } | { version: number },
  ): MembershipChange | undefined {
    return this.changes
      .get(`${userId} ${chatId}`)
      ?.findLast(({ seq, version }) => ("seq" in at ? seq <= at.seq : version <= at.version));
  }
}
