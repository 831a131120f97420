import { Punctuality } from "./punctuality.ts";

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

/** One text that somebody sent: said once in the whole run, so that it can be found again. */
export interface Sent {
  text: string;
  clientMessageId: string;
  senderId: number;
  outcome: Outcome;
  to: { groupId: number } | { receiverId: number };
  /** The message that it answers. */
  replyTo?: number;
  /** As the acknowledgement says. */
  chatId?: number;
  seq?: number;
  messageId?: number;
}

/** Everything that the clients of a run saw and the judge needs. */
export class Log {
  readonly sent = new Map<string, Sent>();
  readonly violations: { violation: Violation; what: string }[] = [];
  /** Pushes by person: which places of which chats were told live. */
  readonly pushed: { userId: number; chatId: number; seq: number; version: number; isNew: boolean }[] = [];
  readonly punctuality = new Punctuality();
  counts = {
    acts: 0,
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    resent: 0,
    edits: 0,
    deletions: 0,
    replies: 0,
    pages: 0,
    removals: 0,
    clearings: 0,
    pushes: 0,
    syncs: 0,
    /** Versions that nobody was told as their rows were changed again at once, or missed. */
    gaps: 0,
    connections: 0,
  };

  violate(violation: Violation, what: string): void {
    this.violations.push({ violation, what });
  }
}
