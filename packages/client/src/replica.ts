import { History, type Range } from "./history.ts";
import { countMentions, isMentioned, maxMentions } from "./mentions.ts";
import { PersonalState } from "./personal-state.ts";
import type {
  BlockChange,
  ClearedDialog,
  MessageItem,
  ReadPosition,
  StateChange,
  SyncChat,
  SyncParams,
  SyncResult,
} from "./protocol.ts";

/** What is known of one chat: what `sync` said of it, kept up to date. */
export interface ChatState extends Omit<SyncChat, "messages" | "unread" | "joined" | "tooLong" | "reset" | "avatarId"> {
  avatarId?: string | undefined;
  readonly history: History;
  /** `mentions` can only be read from the server: the messages that decide are not kept. */
  isMentionCountOld?: true;
}

/** A part of a chat that is shown, and therefore kept. */
export interface Shown {
  readonly window: Range | undefined;
}

/** What a replica reports. */
export interface ReplicaEvents {
  /** Something is missing that only the server knows: a sync of this chat is needed. */
  onGap(chatId: number): void;
  /** A message was added or changed. Called once for each change, in the order of the chat. */
  onChange(chat: ChatState, item: MessageItem, isNew: boolean): void;
  /** @param messages the newest ones, at least one if the chat has any */
  onJoined(chat: ChatState, messages: readonly MessageItem[]): void;
  onLeft(chatId: number): void;
  /** The kept messages of a chat were discarded, because too many changes were missed or the server's data was restored. */
  onReset(chat: ChatState): void;
  /** A message was received, whether or not it changes anything. */
  onItem(item: MessageItem): void;
  /** An entry of a sync answer was applied. */
  onEntry(entry: SyncChat): void;
  /** Something of the chat has changed; undefined: it is gone. */
  onUpdate(chatId: number, chat: ChatState | undefined): void;
  onEpoch(epoch: string): void;
  onStateChange(): void;
}

/** Messages of a chat that are kept while no timeline shows them. */
export const pageSize = 50;
/** So that not every push removes a message. */
const trimmedAbove = 2 * pageSize;

const maxId = Number.MAX_SAFE_INTEGER;
/** Entries of one sync request, which fit into a frame of 32 KiB. */
const maxEntries = 500;

/**
 * The state of this user's chats, built from answers and pushes alone by the client rules of the protocol. It does no
 * input or output.
 */
export class Replica {
  readonly chats = new Map<number, ChatState>();
  readonly state: PersonalState;
  /** Identifies the history of the server's data in which the chats were received. */
  epoch: string | undefined;
  userId: number | undefined;
  private readonly shown = new Map<number, Set<Shown>>();
  /** Before the first sync answer of a connection, a push may belong to another epoch. That answer contains it. */
  private acceptsPushes = false;

  constructor(private readonly events: ReplicaEvents) {
    this.state = new PersonalState({
      // No chat has this id: such a sync is for the state only.
      onGap: () => events.onGap(maxId),
      onChange: () => events.onStateChange(),
    });
  }

  /** Notes that the connection has ended or another one begins. */
  beginConnection(): void {
    this.acceptsPushes = false;
  }

  /** Forgets everything. */
  clear(): void {
    for (const chatId of [...this.chats.keys()]) this.remove(chatId);
    this.state.clear();
    this.epoch = undefined;
  }

  /** Applies an answer or push. */
  applyFrame(type: string, item: unknown): void {
    if (!this.acceptsPushes || typeof item !== "object" || item === null) return;
    if (type === "markRead") this.applyRead(item as ReadPosition);
    else if (type === "clearDialog") this.applyCleared(item as NonNullable<ClearedDialog>);
    else if (type === "setState") this.state.apply(item as StateChange);
    else if (type === "block") this.applyBlock(item as BlockChange);
    else if (isChange(item)) this.applyChange(item);
  }

  /** Applies the next version of a chat and ignores an older one. */
  applyChange(item: MessageItem): void {
    this.events.onItem(item);
    // The state of the message when it was stored, and not a change.
    if (item.duplicate) return;
    const { chatId, version } = item;
    const chat = this.chats.get(chatId);
    if (this.endsMembership(item)) {
      if (chat && version > chat.version) {
        this.remove(chatId);
        this.events.onLeft(chatId);
      }
      return;
    }
    if (!chat || version > chat.version + 1) this.events.onGap(chatId);
    else if (version === chat.version + 1) {
      chat.version = version;
      this.applyEvent(chat, item);
      this.put(chat, item);
      this.trim(chat);
      this.update(chat);
    }
  }

  /** The params of the next sync request for the chats between two ids, and where the one after it begins. */
  syncRequest(
    from = 1,
    to = maxId,
  ): Pick<SyncParams, "chats" | "stateVersion"> & { range: [number, number]; last: number } {
    const known = [...this.chats.values()]
      .filter(({ chatId }) => chatId >= from && chatId <= to)
      .sort((a, b) => a.chatId - b.chatId);
    const slice = known.slice(0, maxEntries);
    const last = known.length > slice.length ? (slice.at(-1)?.chatId ?? to) : to;
    const chats = slice.map(entryOf);
    return { chats, range: [from, last], last, stateVersion: this.state.version };
  }

  /** Applies the answer of a sync request. */
  applySync(result: SyncResult): void {
    if (this.epoch !== result.epoch) {
      if (this.epoch !== undefined) this.clear();
      this.epoch = result.epoch;
      this.events.onEpoch(result.epoch);
    }
    this.userId = result.userId;
    this.acceptsPushes = true;
    if (result.state) this.state.applySync(result.state);
    for (const chatId of result.left) {
      if (!this.chats.has(chatId)) continue;
      this.remove(chatId);
      this.events.onLeft(chatId);
    }
    const last = result.hasMore ? result.chats.at(-1) : undefined;
    for (const entry of result.chats) this.applyEntry(entry, entry === last);
  }

  /** Adds a page of messages that was read: all of a range. Those after the last known message come as changes. */
  insertPage(chat: ChatState, page: readonly MessageItem[], range: Range): void {
    const to = Math.min(range.to, chat.lastSeq);
    const from = Math.max(range.from, chat.clearedSeq + 1);
    if (from <= to) chat.history.insert(page, { from, to });
    for (const item of page) this.events.onItem(item);
    this.update(chat);
  }

  /** Adds a chat from the store. */
  restore(chat: ChatState): void {
    this.chats.set(chat.chatId, chat);
    this.update(chat);
  }

  /** Keeps the messages of a chat that are shown. @returns a function that ends it */
  keepShown(chatId: number, shown: Shown): () => void {
    const all = this.shown.get(chatId) ?? new Set();
    this.shown.set(chatId, all.add(shown));
    return () => {
      all.delete(shown);
      if (all.size === 0) this.shown.delete(chatId);
      const chat = this.chats.get(chatId);
      if (chat) this.trim(chat);
    };
  }

  applyRead({ chatId, userId, readSeq }: ReadPosition): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.userId) this.raiseReadSeq(chat, readSeq);
    else if (chat.kind === "dialog") chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
    this.update(chat);
  }

  /** Removes what neither a timeline shows nor belongs to the newest page. */
  trim(chat: ChatState): void {
    if (chat.history.size <= trimmedAbove) return;
    const windows = [...(this.shown.get(chat.chatId) ?? [])].flatMap(({ window }) => window ?? []);
    const shown = windows.reduce((sum, { from, to }) => sum + Math.min(to, chat.lastSeq) - from + 1, 0);
    if (chat.history.size <= trimmedAbove + shown) return;
    chat.history.retain([...windows, { from: chat.lastSeq - pageSize + 1, to: maxId }]);
  }

  private applyCleared({ chatId, clearedSeq, readSeq }: NonNullable<ClearedDialog>): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    this.raiseReadSeq(chat, readSeq);
    this.clearUpTo(chat, clearedSeq);
    this.update(chat);
  }

  /** A blocked user's read position is not shown any more. After the end of a block, a sync brings it again. */
  private applyBlock({ userId, blocked }: BlockChange): void {
    for (const chat of this.chats.values()) {
      if (chat.userId !== userId) continue;
      if (blocked) {
        delete chat.peerReadSeq;
        this.update(chat);
      } else this.events.onGap(chat.chatId);
    }
  }

  /** @param isCut the rest of its messages comes with the next answer */
  private applyEntry(entry: SyncChat, isCut: boolean): void {
    const current = this.chats.get(entry.chatId);
    if (!current && !entry.joined && !entry.tooLong && !entry.reset) {
      // Left, and joined again since the request.
      this.events.onGap(entry.chatId);
      return;
    }
    const { messages, unread: _, joined, tooLong, reset, ...fields } = entry;
    const known = joined || tooLong || reset ? undefined : current;
    const lastSeqBefore = known?.lastSeq ?? 0;
    const versionBefore = known?.version ?? 0;
    const chat: ChatState = {
      ...fields,
      // A server of an earlier version does not count them.
      mentions: fields.mentions ?? 0,
      clearedSeq: known?.clearedSeq ?? 0,
      history: known?.history ?? new History(),
    };
    if (known) chat.version = Math.max(entry.version, known.version);
    this.chats.set(chat.chatId, chat);
    this.clearUpTo(chat, entry.clearedSeq);
    for (const item of messages) {
      this.events.onItem(item);
      const isNew = item.seq > lastSeqBefore && !chat.history.get(item.seq);
      if (isNew && item.seq > chat.clearedSeq) chat.history.append(item);
      else chat.history.change(item);
      if (known && item.version > versionBefore) this.events.onChange(chat, item, isNew);
    }
    if (known && isCut) {
      // The rest contains messages before the last one of this part, if they were changed later.
      const start = Math.max(lastSeqBefore, chat.clearedSeq);
      chat.lastSeq = chat.history.rangeAt(start + 1)?.to ?? start;
    }
    this.trim(chat);
    this.events.onEntry(entry);
    if (!known && current) this.events.onReset(chat);
    else if (!known) this.events.onJoined(chat, entry.messages);
    this.update(chat);
  }

  /** Adds a new message or applies a change. */
  private put(chat: ChatState, item: MessageItem): void {
    const isNew = item.seq > chat.lastSeq;
    if (isNew) {
      chat.lastSeq = item.seq;
      if (item.senderId === this.userId) this.raiseReadSeq(chat, item.seq);
      else if (isMentioned(item, this.userId)) chat.mentions = Math.min(chat.mentions + 1, maxMentions);
      if (item.senderId !== this.userId && chat.kind === "dialog")
        chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, item.seq);
      if (item.seq > chat.clearedSeq) chat.history.append(item);
      this.events.onChange(chat, item, true);
    } else {
      const before = chat.history.get(item.seq);
      const own = chat.history.change(item, this.userId);
      const isMine = isMentioned(item, this.userId);
      const mayDiffer = before ? isMentioned(before, this.userId) !== isMine : isMine || chat.mentions > 0;
      if (mayDiffer && item.seq > chat.readSeq) this.recountMentions(chat);
      this.events.onChange(chat, own, false);
    }
  }

  private raiseReadSeq(chat: ChatState, readSeq: number): void {
    if (readSeq <= chat.readSeq) return;
    chat.readSeq = readSeq;
    if (chat.mentions > 0) this.recountMentions(chat);
  }

  private recountMentions(chat: ChatState): void {
    const count = countMentions(chat, chat.readSeq, this.userId);
    if (count !== undefined) chat.mentions = count;
    else {
      chat.isMentionCountOld = true;
      this.events.onGap(chat.chatId);
    }
  }

  /** Applies a system message to the chat itself. */
  private applyEvent(chat: ChatState, { event, seq }: MessageItem): void {
    if (!event || seq <= chat.lastSeq) return;
    const { kind, userId, byUserId } = event;
    if (kind === "groupRenamed" && event.groupName !== undefined) chat.groupName = event.groupName;
    else if (kind === "avatarChanged") chat.avatarId = event.avatarId;
    else if (kind === "memberAdded") this.countMembers(chat, 1);
    else if (kind === "memberRemoved" || kind === "memberLeft") this.countMembers(chat, -1);
    else if (kind === "roleChanged" && userId === this.userId && event.role) chat.role = event.role;
    else if (kind === "ownershipTransferred") {
      if (userId === this.userId) chat.role = "owner";
      else if (byUserId === this.userId) chat.role = "admin";
    }
  }

  private countMembers(chat: ChatState, difference: number): void {
    if (chat.memberCount !== undefined) chat.memberCount += difference;
  }

  private endsMembership({ event }: MessageItem): boolean {
    if (!event) return false;
    const { kind, byUserId, userId } = event;
    return (
      kind === "groupDeleted" ||
      (kind === "memberLeft" && byUserId === this.userId) ||
      (kind === "memberRemoved" && userId === this.userId)
    );
  }

  private clearUpTo(chat: ChatState, clearedSeq: number): void {
    if (clearedSeq <= chat.clearedSeq) return;
    chat.clearedSeq = clearedSeq;
    chat.history.removeUpTo(clearedSeq);
  }

  private remove(chatId: number): void {
    this.chats.delete(chatId);
    this.events.onUpdate(chatId, undefined);
  }

  private update(chat: ChatState): void {
    this.events.onUpdate(chat.chatId, chat);
  }
}

function entryOf({
  chatId,
  kind,
  version,
  readSeq,
  clearedSeq,
  peerReadSeq = 0,
  isMentionCountOld,
}: ChatState): SyncParams["chats"][number] {
  // The server sends what differs.
  const knownSeq = isMentionCountOld ? readSeq + 1 : readSeq;
  // In a dialog, to leave the last one out would mean not to ask for it.
  return kind === "dialog"
    ? [chatId, version, knownSeq, clearedSeq, peerReadSeq]
    : [chatId, version, knownSeq, clearedSeq];
}

/** Whether the item is a message with its version, under whatever type it came: a newer server may add types. */
const isChange = (item: object): item is MessageItem => {
  const { chatId, messageId, seq, version } = item as Partial<MessageItem>;
  return [chatId, messageId, seq, version].every((value) => typeof value === "number");
};
