import { Epochs } from "./epochs.ts";
import { LatencyTracker } from "./latency.ts";
import { RequestedRevisions } from "./requested-revisions.ts";
import { ResponseTimes } from "./response-times.ts";

/** The kinds of violations; docs/proof.md defines them. */
export type ViolationKind =
  | "lost"
  | "duplicate"
  | "ghost"
  | "gap"
  | "out-of-order"
  | "redelivered"
  | "missed"
  | "late"
  | "slow"
  | "inconsistent"
  | "incomplete"
  | "leak"
  | "index"
  | "unanswered"
  | "unhandled";

/** The outcome of a send as known to its sender. "undone": it was acknowledged, and a restored backup does not contain it. */
export type Outcome = "acknowledged" | "rejected" | "unknown" | "undone";

/** The destination of a send. Creating a group counts as a send whose text is the group's name. */
export type Destination = { groupId: number } | { receiverId: number } | { newGroup: true };

/** A message that a client sent. Its text is unique within the run. */
export interface SentMessage {
  text: string;
  clientMessageId: string;
  senderId: number;
  outcome: Outcome;
  to: Destination;
  /** The id of the message it replies to. */
  replyTo?: number;
  /** The message that it forwards, and its first author. The text is the original's then, and `text` only names the send. */
  forwards?: { messageId: number; firstAuthorId: number };
  /** From the acknowledgement. */
  chatId?: number;
  seq?: number;
  messageId?: number;
}

/** An acknowledged edit or deletion of a message. */
export interface Revision {
  chatId: number;
  messageId: number;
  version: number;
  content: string;
  isDeletion: boolean;
}

/** An acknowledged reaction or pin, set or removed. */
export interface AcknowledgedMark {
  chatId: number;
  messageId: number;
  version: number;
  userId: number;
  /** Of a reaction. */
  emoji?: string | undefined;
  on: boolean;
}

/** The highest acknowledged read and cleared positions of a user in a chat, and when they were last raised. */
export interface AcknowledgedReadState {
  chatId: number;
  userId: number;
  readSeq: number;
  clearedSeq: number;
  at: number;
}

/** What has been acknowledged until a moment. */
export interface Acknowledged {
  sent: readonly SentMessage[];
  revisions: readonly Revision[];
  marks: readonly AcknowledgedMark[];
  readStates: readonly AcknowledgedReadState[];
}

/** A message in a page of history. */
export interface PageRow {
  seq: number;
  version: number;
  messageId: number;
  senderId: number;
  message: string;
}

/** Consecutive messages that a user read from the history, by ascending `seq`. */
export interface HistoryPage {
  userId: number;
  chatId: number;
  rows: readonly PageRow[];
  /** Whether it ends with the newest message. */
  isNewest: boolean;
}

/** Everything the clients of a run observed, for the checker. */
export class Log {
  readonly sent = new Map<string, SentMessage>();
  revisions: Revision[] = [];
  marks: AcknowledgedMark[] = [];
  readonly requestedRevisions = new RequestedRevisions();
  readonly readStates = new Map<string, AcknowledgedReadState>();
  readonly violations: { kind: ViolationKind; details: string }[] = [];
  /** Changes received as pushes. */
  pushed: { userId: number; chatId: number; seq: number; version: number }[] = [];
  /** Chats received in responses of `sync`, with their versions. */
  synced: { userId: number; chatId: number; version: number }[] = [];
  pages: HistoryPage[] = [];
  latency = new LatencyTracker();
  readonly responseTimes = new ResponseTimes();
  readonly epochs = new Epochs();
  counts = {
    actions: 0,
    acknowledged: 0,
    undone: 0,
    rejected: 0,
    unknown: 0,
    resent: 0,
    repeatedSends: 0,
    edits: 0,
    deletions: 0,
    reactions: 0,
    pins: 0,
    replies: 0,
    forwards: 0,
    pages: 0,
    searches: 0,
    removals: 0,
    clears: 0,
    groupsDeleted: 0,
    pushes: 0,
    syncs: 0,
    /** Gaps in the versions a connection received, whether missed or superseded before they were published. */
    gaps: 0,
    connections: 0,
  };

  /** @param readStatePushesReliable whether every read state is pushed to all connected devices, as in a single process */
  constructor(readonly readStatePushesReliable = true) {}

  reportViolation(kind: ViolationKind, details: string): void {
    this.violations.push({ kind, details });
  }

  /** A copy of what has been acknowledged so far. */
  acknowledged(): Acknowledged {
    const sent = [...this.sent.values()].filter(({ outcome }) => outcome === "acknowledged").map((one) => ({ ...one }));
    const { revisions, marks, readStates } = this;
    return { sent, revisions: [...revisions], marks: [...marks], readStates: [...readStates.values()] };
  }

  /** Forgets what the clients received: a backup was restored, and the database goes on from there. */
  startHistory(): void {
    [this.pushed, this.synced, this.pages] = [[], [], []];
    this.latency = new LatencyTracker();
    this.requestedRevisions.clear();
    this.epochs.startHistory();
  }

  /** Records acknowledged read and cleared positions. */
  recordReadState(state: Omit<AcknowledgedReadState, "at">): void {
    const before = this.readStateOf(state);
    if (before && before.readSeq >= state.readSeq && before.clearedSeq >= state.clearedSeq) return;
    this.readStates.set(`${state.userId} ${state.chatId}`, {
      ...state,
      readSeq: Math.max(state.readSeq, before?.readSeq ?? 0),
      clearedSeq: Math.max(state.clearedSeq, before?.clearedSeq ?? 0),
      at: Date.now(),
    });
  }

  readStateOf({ userId, chatId }: { userId: number; chatId: number }): AcknowledgedReadState | undefined {
    return this.readStates.get(`${userId} ${chatId}`);
  }
}
