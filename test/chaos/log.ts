import { Punctuality } from "./latency.ts";

/** What went wrong, in one word each; what none of these words fits is no violation. */
export type Violation =
  | "lost"
  | "duplicate"
  | "ghost"
  | "hole"
  | "inversion"
  | "repeated"
  | "missed"
  | "late"
  | "contradiction"
  | "incomplete"
  | "leak"
  | "unanswered";

/** What became of a send, as its sender knows it. */
export type Outcome = "acknowledged" | "refused" | "unknown";

/** Where a message goes; a group that is made is sent like one, and its name is the text. */
export type Address = { groupId: number } | { receiverId: number } | { newGroup: true };

/** One text that somebody sent: said once in the whole run, so that it can be found again. */
export interface Sent {
  text: string;
  clientMessageId: string;
  senderId: number;
  outcome: Outcome;
  to: Address;
  /** The message that it answers. */
  replyTo?: number;
  /** As the acknowledgement says. */
  chatId?: number;
  seq?: number;
  messageId?: number;
}

/** An acknowledged change of a message. */
export interface Revision {
  chatId: number;
  messageId: number;
  version: number;
  content: string;
  isDeletion: boolean;
}

/** An acknowledged mark of somebody in a chat: the greatest, and when that was. */
export interface Mark {
  chatId: number;
  userId: number;
  readSeq: number;
  clearedSeq: number;
  at: number;
}

/** A message as a page of history shows it. */
export interface PageRow {
  seq: number;
  version: number;
  messageId: number;
  senderId: number;
  message: string;
}

/** Messages in a row that somebody read, by rising `seq`. */
export interface ReadPage {
  userId: number;
  chatId: number;
  rows: readonly PageRow[];
  /** It ended with the newest message. */
  isNewest: boolean;
}

/** Everything that the clients of a run saw and the judge needs. */
export class Log {
  readonly sent = new Map<string, Sent>();
  readonly revisions: Revision[] = [];
  readonly marks = new Map<string, Mark>();
  readonly violations: { violation: Violation; what: string }[] = [];
  /** Which changes were told live, and to whom. */
  readonly pushed: { userId: number; chatId: number; seq: number; version: number }[] = [];
  /** Which chats were told by `sync`, as of which version. */
  readonly synced: { userId: number; chatId: number; version: number }[] = [];
  readonly pages: ReadPage[] = [];
  readonly punctuality = new Punctuality();
  counts = {
    acts: 0,
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    resent: 0,
    repeats: 0,
    edits: 0,
    deletions: 0,
    replies: 0,
    pages: 0,
    removals: 0,
    clearings: 0,
    groupsEnded: 0,
    pushes: 0,
    syncs: 0,
    /** Versions that nobody was told as their rows were changed again at once, or missed. */
    gaps: 0,
    connections: 0,
  };

  /** @param signalsAreSure whoever is connected is told of every mark: one process tells them all */
  constructor(readonly signalsAreSure = true) {}

  violate(violation: Violation, what: string): void {
    this.violations.push({ violation, what });
  }

  /** Somebody's mark was acknowledged. */
  noteMark(mark: Omit<Mark, "at">): void {
    const before = this.markOf(mark);
    if (before && before.readSeq >= mark.readSeq && before.clearedSeq >= mark.clearedSeq) return;
    this.marks.set(`${mark.userId} ${mark.chatId}`, {
      ...mark,
      readSeq: Math.max(mark.readSeq, before?.readSeq ?? 0),
      clearedSeq: Math.max(mark.clearedSeq, before?.clearedSeq ?? 0),
      at: Date.now(),
    });
  }

  markOf({ userId, chatId }: { userId: number; chatId: number }): Mark | undefined {
    return this.marks.get(`${userId} ${chatId}`);
  }
}
