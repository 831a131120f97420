import { Epochs } from "./epochs.ts";
import { LatencyTracker } from "./latency.ts";
import type { Mentioned } from "./mentions.ts";
import { RequestedRevisions } from "./requested-revisions.ts";
import { ResponseTimes } from "./response-times.ts";
import type { UploadedFile } from "./uploads.ts";

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
  | "fsck"
  | "unanswered"
  | "unhandled";

/** The outcome of a send as known to its sender. "undone": it was acknowledged, and a restored backup does not contain it. */
export type Outcome = "acknowledged" | "rejected" | "unknown" | "undone";

/** The destination of a send. Creating a group counts as a send whose text is the group's name. */
export type Destination = { groupId: number } | { receiverId: number } | { newGroup: true };

/** A message that a client sent. Its text is unique within the run. */
export interface SentMessage extends Mentioned {
  text: string;
  clientMessageId: string;
  senderId: number;
  outcome: Outcome;
  to: Destination;
  /** The id of the message it replies to. */
  replyTo?: number;
  /** Its files, in their order. */
  fileIds?: readonly string[];
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
  /** Whom the edited text means. */
  mentioned?: Mentioned;
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

/** An acknowledged change of the personal state of a user. */
export interface AcknowledgedState {
  userId: number;
  key: string;
  /** Null if the key was removed. */
  value: unknown;
  /** That of the key's latest change if nothing was stored; 0 if there was none. */
  version: number;
}

/** A request for another avatar of a user or a group. */
export interface AvatarRequest {
  userId: number;
  /** Undefined for the avatar of the user. */
  groupId: number | undefined;
  /** The id that was given; null if the avatar was removed, undefined if the outcome is not known. */
  avatarId: string | null | undefined;
  /** In milliseconds. */
  startedAt: number;
  endedAt: number;
}

/** What has been acknowledged until a moment. */
export interface Acknowledged {
  sent: readonly SentMessage[];
  revisions: readonly Revision[];
  marks: readonly AcknowledgedMark[];
  readStates: readonly AcknowledgedReadState[];
  states: readonly AcknowledgedState[];
  uploads: readonly UploadedFile[];
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

/** What a user reads of mentions at the end of a run. */
export interface MentionsRead {
  userId: number;
  /** By chat. */
  unread: ReadonlyMap<number, number>;
  /** Of the messages that mention the user, the newest first. */
  messageIds: readonly number[];
}

/** A user has tried to read a file at the end of a run. */
export interface FileRead {
  userId: number;
  fileId: string;
  /** Of the content; undefined if there is none for the user. */
  sha256: string | undefined;
}

/** Everything the clients of a run observed, for the checker. */
export class Log {
  readonly sent = new Map<string, SentMessage>();
  revisions: Revision[] = [];
  marks: AcknowledgedMark[] = [];
  states: AcknowledgedState[] = [];
  /** The files whose uploads were acknowledged, by their ids. */
  readonly uploads = new Map<string, UploadedFile>();
  readonly requestedRevisions = new RequestedRevisions();
  readonly readStates = new Map<string, AcknowledgedReadState>();
  /** The newest acknowledged version of the personal state of each user, and when it was acknowledged. */
  readonly newestStates = new Map<number, { version: number; at: number }>();
  readonly violations: { kind: ViolationKind; details: string }[] = [];
  /** Changes received as pushes. */
  pushed: { userId: number; chatId: number; seq: number; version: number }[] = [];
  /** Chats received in responses of `sync`, with their versions. */
  synced: { userId: number; chatId: number; version: number }[] = [];
  /** Changes of personal states received as pushes. */
  pushedStates: AcknowledgedState[] = [];
  pages: HistoryPage[] = [];
  readonly mentionsRead: MentionsRead[] = [];
  readonly filesRead: FileRead[] = [];
  avatarRequests: AvatarRequest[] = [];
  readonly avatarsRead: { userId: number; avatarId: string | null }[] = [];
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
    mentions: 0,
    pages: 0,
    searches: 0,
    removals: 0,
    clears: 0,
    states: 0,
    uploads: 0,
    downloads: 0,
    avatars: 0,
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
    const { revisions, marks, readStates, states } = this;
    return {
      sent,
      revisions: [...revisions],
      marks: [...marks],
      readStates: [...readStates.values()],
      states: [...states],
      uploads: [...this.uploads.values()],
    };
  }

  /** Forgets what the clients received: a backup was restored, and the database goes on from there. */
  startHistory(): void {
    [this.pushed, this.pushedStates, this.synced, this.pages] = [[], [], [], []];
    this.newestStates.clear();
    this.latency = new LatencyTracker();
    this.requestedRevisions.clear();
    this.epochs.startHistory();
  }

  /** Records an acknowledged change of a personal state. */
  recordState(state: AcknowledgedState): void {
    this.states.push(state);
    const { userId, version } = state;
    if (version > (this.newestStates.get(userId)?.version ?? 0)) {
      this.newestStates.set(userId, { version, at: Date.now() });
    }
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
