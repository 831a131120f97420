import type { MessageItem } from "../../src/contract/messages.ts";
import type { Log } from "./log.ts";
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

/**
 * What one device knows; built from nothing but answers and pushes, by the rule that the documents give to clients. Notes
 * in the log what it must not be told like that.
 */
export class Replica {
  readonly chats = new Map<number, LocalChat>();
  /** Per connection: the last version of each chat that this connection was told. */
  private told = new Map<number, number>();
  private readonly gaps = new Map<number, Gap>();
  private hearsAllSince: number | undefined;

  constructor(
    private readonly owner: { name: string; userId: number },
    private readonly log: Log,
    /** Something was told that cannot be taken in: ask for what is missing. */
    private readonly onGap: () => void,
  ) {}

  /** A new connection has been told nothing yet. */
  startConnection(): void {
    this.told = new Map();
    this.hearsAllSince = undefined;
  }

  /** Everything was asked for and taken in: from now on it must be told everything. */
  noteCaughtUp(): void {
    this.hearsAllSince ??= Date.now();
  }

  /** The device reads nothing before this moment. */
  noteStall(until: number): void {
    if (this.hearsAllSince !== undefined) this.hearsAllSince = until;
  }

  /** What it knows, as `sync` asks for it. */
  question(): number[][] {
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
    if (type === "sync") this.takeIn(params.item);
    else if (type === "markRead") this.mark(params.item);
    else if (type === "clearDialog") this.clear(params.item);
    else if (params.item?.version !== undefined && !params.item.duplicate) {
      this.follow(params.item, params.isBroadcast ? "push" : "answer");
    }
  }

  /** Prepares for a page of a chat's history that is asked for now. @returns what compares it with what is known now */
  expectPage(chat: LocalChat): (page: readonly MessageItem[]) => void {
    const { chatId, messages, version, clearedSeq, partial } = chat;
    const wrong = (what: string) => this.violate("contradiction", chatId, `a page of its history ${what}`);
    return (page) => {
      // Left, joined anew or dropped meanwhile: it is another's.
      if (this.chats.get(chatId)?.messages !== messages) return;
      const [first] = page;
      for (const [index, item] of page.entries()) {
        if (item.seq !== (first?.seq ?? 0) + index) wrong(`has a hole before seq ${item.seq}`);
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

  private mark({ chatId, userId, readSeq }: { chatId: number; userId: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.owner.userId) chat.readSeq = Math.max(chat.readSeq, readSeq);
    else chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
  }

  private clear(item: { chatId: number; clearedSeq: number; readSeq: number } | null): void {
    const chat = item && this.chats.get(item.chatId);
    if (!chat) return;
    chat.readSeq = Math.max(chat.readSeq, item.readSeq);
    hideUpTo(chat, item.clearedSeq);
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
      if (item.senderId === this.owner.userId && !item.editedAt && !item.deletedAt) {
        chat.readSeq = Math.max(chat.readSeq, seq);
      }
    }
  }

  /** Each version once, in order, without a gap, and in time. */
  private noteTold({ chatId, version, seq, editedAt, deletedAt }: MessageItem, how: "push" | "answer"): void {
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
    const hadAll = chat && this.hearsAllSince !== undefined && before === chat.version && !chat.partial;
    if (hadAll && version > chat.version + 1 && !this.gaps.has(chatId)) {
      this.gaps.set(chatId, { after: chat.version, before: version });
    }
    if (how === "answer") this.log.punctuality.acknowledge(chatId, version);
    else {
      this.log.pushed.push({ userId: this.owner.userId, chatId, seq, version, isNew: !editedAt && !deletedAt });
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
      const before = this.told.get(told.chatId) ?? 0;
      if (told.version < before && !(hasMore && told === chats.at(-1))) {
        this.violate("inversion", told.chatId, `synced at ${told.version} after ${before} was told`);
      }
      const known = this.chats.get(told.chatId);
      // It was in the question, and has been left since: the answer holds only what came after. Ask anew.
      if (!known && !told.joined && !told.tooLong && !told.reset) {
        this.onGap();
        continue;
      }
      const afresh = told.tooLong || told.reset || !known;
      this.explainGap(told, afresh ? undefined : known);
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
