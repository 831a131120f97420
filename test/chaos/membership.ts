import type { Row } from "./final-state.ts";

/** Somebody came into a group, or went. */
interface Move {
  seq: number;
  version: number;
  inside: boolean;
}

const comings = ["groupCreated", "memberAdded"];
const goings = ["memberLeft", "memberRemoved"];

/** Who was in which group when, as the notices in its history tell. */
export class Attendance {
  private readonly moves = new Map<string, Move[]>();

  /** @param rows of each chat in its order */
  constructor(rows: Iterable<Pick<Row, "chatId" | "seq" | "version" | "event">>) {
    for (const { chatId, seq, version, event } of rows) {
      if (!event || ![...comings, ...goings].includes(event.kind)) continue;
      const who = `${event.userId ?? event.byUserId} ${chatId}`;
      const move = { seq, version, inside: comings.includes(event.kind) };
      this.moves.set(who, [...(this.moves.get(who) ?? []), move]);
    }
  }

  /** Whether somebody is a member once the chat has reached this `seq`, or this `version`. */
  isIn(userId: number, chatId: number, at: { seq: number } | { version: number }): boolean {
    return this.lastMove(userId, chatId, at)?.inside ?? false;
  }

  /** Whether somebody hears of the change that takes this version: as a member, or as the one who goes with it. */
  hears(userId: number, chatId: number, version: number): boolean {
    const move = this.lastMove(userId, chatId, { version });
    return move !== undefined && (move.inside || move.version === version);
  }

  private lastMove(userId: number, chatId: number, at: { seq: number } | { version: number }): Move | undefined {
    return this.moves
      .get(`${userId} ${chatId}`)
      ?.findLast(({ seq, version }) => ("seq" in at ? seq <= at.seq : version <= at.version));
  }
}
