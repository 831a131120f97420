import type { MessageItem } from "../../src/contract/messages.ts";
import type { Log, Mark, PageRow } from "./log.ts";
import type { Random } from "./random.ts";

// biome-ignore lint/suspicious/noExplicitAny: a frame as it came from a server that is not trusted here
export type Frame = any;

/** What a device keeps of a chat. */
export interface LocalChat {
  chatId: number;
  kind: "dialog" | "group";
  /** In a dialog: the other side. */
  peerId: number | undefined;
  version: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq: number | undefined;
  messages: Map<number, MessageItem>;
  /** Was told that too much has changed, and keeps only the newest. */
  partial: boolean;
}

/** Versions that a connected device was not told, both ends excluded. */
interface Gap {
  after: number;
  before: number;
}

/** How long somebody else's mark may take to be told after it was acknowledged, in milliseconds. */
const markWithinMs = 300;

/**
 * What one device knows; built from nothing but answers and pushes, by the rule that the documents give to clients. Notes
 * in the log what it must not be told like that.
 */
export class Replica {
  readonly chats = new Map<number, LocalChat>();
  /** Per connection: the last version of each chat that this connection was told. */
  private told = new Map<number, number>();
  /** Per connection: the version of each chat up to which this device is known to have been told everything. */
  private complete = new Map<number, number>();
  private readonly gaps = new Map<number, Gap>();
  private hearsAllSince: number | undefined;
  /** When the last `sync` was asked for. */
  private askedAt = 0;

  constructor(
    private readonly owner: { name: string; userId: number },
    private readonly log: Log,
    /** Something was told that cannot be taken in: ask for what is missing. */
    private readonly onGap: () => void,
  ) {}

  /** A new connection has been told nothing yet. */
  startConnection(): void {
    this.told = new Map();
    this.complete = new Map();
    this.hearsAllSince = undefined;
  }

  /** Everything was asked for and taken in: from now on it must be told everything. */
  noteCaughtUp(): void {
    this.hearsAllSince ??= Date.now();
    // What the answer did not name is as this device has it.
    for (const { chatId, version } of this.chats.values()) this.complete.set(chatId, version);
  }

  /** What it should have been told by now and was not: acknowledged changes and marks. */
  behind(): string[] {
    return [...this.chats.values()].flatMap((chat) => {
      const { chatId, version } = chat;
      const newest = this.log.punctuality.newest.get(chatId) ?? 0;
      const missed = this.missedMark(chat, Date.now());
      return [
        ...(version < newest ? [`is at ${version} of ${newest}, and hears no more`] : []),
        ...(missed ? [`was not told that person ${missed.userId} has read it to ${missed.readSeq}`] : []),
      ].map((what) => `${this.owner.name}: chat ${chatId}: ${what}`);
    });
  }

  /** The device reads nothing before this moment. */
  noteStall(until: number): void {
    if (this.hearsAllSince !== undefined) this.hearsAllSince = until;
  }

  /** What it knows, as `sync` asks for it. */
  question(): number[][] {
    this.askedAt = Date.now();
    return [...this.chats.values()].map(({ chatId, version, readSeq, clearedSeq, peerReadSeq }) =>
      peerReadSeq === undefined
        ? [chatId, version, readSeq, clearedSeq]
        : [chatId, version, readSeq, clearedSeq, peerReadSeq],
    );
  }

  /** Any message of a chat that is as wanted, old ones as likely as new ones; undefined if luck does not find one. */
  pickMessage(
    chat: LocalChat,
    random: Random,
    isWanted: (item: MessageItem) => boolean = () => true,
  ): MessageItem | undefined {
    for (let attempt = 0; attempt < 10; attempt++) {
      const item = chat.messages.get(random.between(chat.clearedSeq + 1, Math.max(chat.version, chat.clearedSeq + 1)));
      if (item && !item.notification && !item.deletedAt && isWanted(item)) return item;
    }
    return undefined;
  }

  /** Takes a frame in, in the order in which they come. */
  take(frame: Frame): void {
    const { type, success, params } = frame;
    if (!success) return;
    const isAnswer = !params.isBroadcast;
    if (type === "sync") this.takeIn(params.item);
    else if (type === "markRead") this.mark(params.item, isAnswer);
    else if (type === "clearDialog") this.clear(params.item, isAnswer);
    // Of what was deleted before, nothing changes.
    else if (type === "deleteMessage" && isAnswer && params.item.version <= (this.told.get(params.item.chatId) ?? 0)) {
      return;
    } else if (params.item?.version !== undefined && !params.item.duplicate) {
      this.follow(params.item, isAnswer ? "answer" : "push");
    }
  }

  /** Prepares for a page of a chat's history that is asked for now. @returns what compares it with what is known now */
  expectPage(chat: LocalChat): (page: readonly PageRow[]) => void {
    const { chatId, messages, version, clearedSeq, partial } = chat;
    const wrong = (what: string) => this.violate("contradiction", chatId, `a page of its history ${what}`);
    return (page) => {
      // Left, joined anew or dropped meanwhile: it is another's.
      if (this.chats.get(chatId)?.messages !== messages) return;
      for (const item of page) {
        if (item.seq <= clearedSeq) wrong(`shows seq ${item.seq}, cleared to ${clearedSeq}`);
        const known = messages.get(item.seq);
        const isClearedNow = item.seq <= (this.chats.get(chatId)?.clearedSeq ?? 0);
        if (item.version > version || partial || isClearedNow) continue;
        if (!known) wrong(`has seq ${item.seq}, which the device was never told`);
        else if (known.version <= version && (known.version !== item.version || known.message !== item.message)) {
          wrong(`has seq ${item.seq} at version ${item.version}, the device at ${known.version}`);
        }
      }
    };
  }

  private violate(violation: Parameters<Log["violate"]>[0], chatId: number, what: string): void {
    this.log.violate(violation, `${this.owner.name}: chat ${chatId}: ${what}`);
  }

  private mark(item: { chatId: number; userId: number; readSeq: number }, isAnswer: boolean): void {
    const { chatId, userId, readSeq } = item;
    if (isAnswer) this.log.noteMark({ chatId, userId, readSeq, clearedSeq: 0 });
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.owner.userId) chat.readSeq = Math.max(chat.readSeq, readSeq);
    else chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
  }

  private clear(item: { chatId: number; clearedSeq: number; readSeq: number } | null, isAnswer: boolean): void {
    if (!item) return;
    if (isAnswer) this.log.noteMark({ ...item, userId: this.owner.userId });
    const chat = this.chats.get(item.chatId);
    if (!chat) return;
    chat.readSeq = Math.max(chat.readSeq, item.readSeq);
    hideUpTo(chat, item.clearedSeq);
  }

  /** A mark of this person, or of the other side, that was acknowledged before and that this device was not told. */
  private missedMark(chat: LocalChat, before: number): Mark | undefined {
    const { chatId, peerId } = chat;
    const since = this.hearsAllSince;
    if (!this.log.signalsAreSure || since === undefined) return undefined;
    const isMissed = (mark: Mark | undefined, readSeq: number, clearedSeq: number) =>
      mark !== undefined &&
      mark.at > since &&
      mark.at < before - markWithinMs &&
      (mark.readSeq > readSeq || mark.clearedSeq > clearedSeq);
    const own = this.log.markOf({ userId: this.owner.userId, chatId });
    if (isMissed(own, chat.readSeq, chat.clearedSeq)) return own;
    const isDialogOfTwo = peerId !== undefined && peerId !== this.owner.userId;
    const others = isDialogOfTwo ? this.log.markOf({ userId: peerId, chatId }) : undefined;
    return isMissed(others, chat.peerReadSeq ?? 0, Number.POSITIVE_INFINITY) ? others : undefined;
  }

  /** The client rule: the next version is taken in, a smaller one ignored, after a greater one the chat is caught up. */
  private follow(item: MessageItem, how: "push" | "answer"): void {
    const { chatId, version, seq } = item;
    this.noteTold(item, how);
    const chat = this.chats.get(chatId);
    if (chat && isOwnLeaving(item, this.owner.userId) && version > chat.version) {
      this.chats.delete(chatId);
      return;
    }
    if (!chat || version > chat.version + 1) this.onGap();
    else if (version === chat.version + 1) {
      chat.version = version;
      if (seq > chat.clearedSeq) chat.messages.set(seq, item);
      // Who writes has read up to there.
      if (!item.editedAt && !item.deletedAt) {
        if (item.senderId === this.owner.userId) chat.readSeq = Math.max(chat.readSeq, seq);
        else if (item.senderId === chat.peerId) chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, seq);
      }
    }
  }

  /** Each version once, in order, without a gap, and in time. */
  private noteTold({ chatId, version, seq }: MessageItem, how: "push" | "answer"): void {
    const before = this.told.get(chatId);
    if (before !== undefined && version <= before) {
      this.violate(
        version === before ? "repeated" : "inversion",
        chatId,
        `version ${version} as ${how} after ${before}`,
      );
    }
    this.told.set(chatId, Math.max(version, before ?? 0));
    const chat = this.chats.get(chatId);
    // A chat it was in and whose versions it had been told one by one, all on this connection, must not have gaps.
    const hadAllUpTo = Math.max(before ?? 0, this.complete.get(chatId) ?? 0);
    const hadAll = chat && this.hearsAllSince !== undefined && hadAllUpTo === chat.version && !chat.partial;
    if (hadAll && version > chat.version + 1 && !this.gaps.has(chatId)) {
      this.gaps.set(chatId, { after: chat.version, before: version });
    }
    if (how === "answer") this.log.punctuality.acknowledge(chatId, version);
    else {
      this.log.pushed.push({ userId: this.owner.userId, chatId, seq, version });
      if (hadAll) {
        const lateMs = this.log.punctuality.hear(chatId, version, this.hearsAllSince ?? 0);
        if (lateMs) this.violate("late", chatId, `version ${version} was told ${lateMs} ms after it was acknowledged`);
      }
    }
  }

  private takeIn({ chats, left, hasMore }: Frame): void {
    // What was held back of the chats that are not told yet comes with the rest, and not as pushes.
    if (hasMore) this.hearsAllSince = undefined;
    for (const chatId of left) this.chats.delete(chatId);
    for (const told of chats) {
      // What was pushed before the answer was committed before its snapshot; only a cut answer may know less.
      const isCut = hasMore && told === chats.at(-1);
      const before = this.told.get(told.chatId) ?? 0;
      if (told.version < before && !isCut) {
        this.violate("inversion", told.chatId, `synced at ${told.version} after ${before} was told`);
      }
      if (!isCut) {
        this.log.synced.push({ userId: this.owner.userId, chatId: told.chatId, version: told.version });
      }
      const known = this.chats.get(told.chatId);
      const mark = known && this.missedMark(known, this.askedAt);
      if (mark) this.violate("missed", told.chatId, `was not told that person ${mark.userId} read to ${mark.readSeq}`);
      // It was in the question, and has been left since: the answer holds only what came after. Ask anew.
      if (!known && !told.joined && !told.tooLong && !told.reset) {
        this.onGap();
        continue;
      }
      const afresh = told.tooLong || told.reset || !known;
      this.explainGap(told, afresh ? undefined : known);
      // Nothing of a group is hidden from anybody, so that the row of its version is among what differs.
      const isWhole = told.kind === "group" && !told.tooLong && !told.reset && !isCut;
      if (isWhole && told.version > (known?.version ?? 0) && told.messages.at(-1)?.version !== told.version) {
        this.violate("incomplete", told.chatId, `was synced to version ${told.version} without that`);
      }
      const messages: Map<number, MessageItem> = afresh ? new Map() : known.messages;
      for (const item of told.messages) messages.set(item.seq, item);
      const { chatId, kind, userId: peerId, version, readSeq, clearedSeq, peerReadSeq } = told;
      const partial = Boolean(told.tooLong || told.reset || (known?.partial ?? false));
      const chat = { chatId, kind, peerId, version, readSeq, clearedSeq: 0, peerReadSeq, messages, partial };
      if (!afresh) chat.clearedSeq = known.clearedSeq;
      hideUpTo(chat, clearedSeq);
      this.chats.set(chatId, chat);
      this.told.set(chatId, Math.max(version, this.told.get(chatId) ?? 0));
    }
  }

  /**
   * A version whose row was changed again before anybody told it is nowhere any more, and clients step over it. One that
   * is still there for `sync` was there to be told.
   */
  private explainGap(told: Frame, known: LocalChat | undefined): void {
    const gap = this.gaps.get(told.chatId);
    this.gaps.delete(told.chatId);
    if (!gap || known?.version !== gap.after) return;
    const missed = told.messages.filter(({ version }: MessageItem) => version > gap.after && version < gap.before);
    this.log.counts.gaps++;
    for (const { version } of missed) {
      this.violate("missed", told.chatId, `version ${gap.before} came after ${gap.after}, and ${version} was there`);
    }
  }
}

/** Everything up to there is hidden, and not kept. */
function hideUpTo(chat: LocalChat, clearedSeq: number): void {
  for (let seq = chat.clearedSeq + 1; seq <= clearedSeq; seq++) chat.messages.delete(seq);
  chat.clearedSeq = Math.max(chat.clearedSeq, clearedSeq);
}

const isOwnLeaving = ({ event }: MessageItem, userId: number): boolean =>
  (event?.kind === "memberLeft" && event.byUserId === userId) ||
  (event?.kind === "memberRemoved" && event.userId === userId) ||
  event?.kind === "groupDeleted";
