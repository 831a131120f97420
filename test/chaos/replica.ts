import type { MessageItem } from "../../src/contract/messages.ts";
import { clearUpTo, type LocalChat, updateReplies } from "./local-chat.ts";
import { LocalState, type SyncedState } from "./local-state.ts";

/** A chat in the response of `sync`. */
export interface SyncedChat {
  chatId: number;
  kind: "dialog" | "group";
  /** The other user of a dialog. */
  userId?: number;
  version: number;
  lastSeq: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq?: number;
  avatarId?: string;
  messages: MessageItem[];
  joined?: boolean;
  tooLong?: boolean;
  reset?: boolean;
}

/** The response of `sync`. */
export interface SyncItem {
  chats: SyncedChat[];
  /** Chats of which the user is no longer a member. */
  left: number[];
  /** What differs in the personal state. */
  state?: SyncedState;
  /** The response was cut off at the size limit. */
  hasMore: boolean;
  /** Identifies the history of the data. */
  epoch: string;
}

/** The rules that a client follows. Each can be broken on purpose, to see that the checker detects it. */
export interface ClientRules {
  /** Updates the previews of replies when the message they reply to changes. */
  updatesReplies: boolean;
  /** Sends the epoch of what it knows, and forgets that when it receives another epoch. */
  followsEpoch: boolean;
}

export const allClientRules: ClientRules = { updatesReplies: true, followsEpoch: true };

/** Whether the entry can be applied to an unknown chat. Other entries only have the changes after the requested version. */
export const isCompleteEntry = ({ joined, tooLong, reset }: SyncedChat): boolean => Boolean(joined || tooLong || reset);

/** The state of one device, built from responses and pushes alone by the sync rule for clients. */
export class Replica {
  readonly chats = new Map<number, LocalChat>();
  /** The epoch in which the chats were received. */
  epoch: string | undefined;
  readonly state: LocalState;

  /** @param requestSync called when a change cannot be applied because others are missing before it */
  constructor(
    private readonly userId: number,
    private readonly requestSync: () => void,
    private readonly rules = allClientRules,
  ) {
    this.state = new LocalState(requestSync);
  }

  /** The known chats as the params of `sync` list them. */
  syncChats(): number[][] {
    return [...this.chats.values()].map(({ chatId, version, readSeq, clearedSeq, peerReadSeq }) =>
      peerReadSeq === undefined
        ? [chatId, version, readSeq, clearedSeq]
        : [chatId, version, readSeq, clearedSeq, peerReadSeq],
    );
  }

  /** Applies the next version of a chat and ignores an older one. A later one, or an unknown chat, requires a sync. */
  applyChange(item: MessageItem): void {
    const { chatId, version, seq } = item;
    const chat = this.chats.get(chatId);
    if (chat && endsMembership(item, this.userId) && version > chat.version) {
      this.chats.delete(chatId);
      return;
    }
    if (!chat || version > chat.version + 1) this.requestSync();
    else if (version === chat.version + 1) {
      chat.version = version;
      this.keep(chat, item);
      if (item.event?.kind === "avatarChanged") chat.avatarId = item.event.avatarId;
      // Sending a message also marks the chat as read up to it.
      if (!item.editedAt && !item.deletedAt) this.applyReadPosition({ chatId, userId: item.senderId, readSeq: seq });
    }
  }

  /** Applies a read position of this user or of the other user of a dialog. */
  applyReadPosition({ chatId, userId, readSeq }: { chatId: number; userId: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.userId) chat.readSeq = Math.max(chat.readSeq, readSeq);
    else if (userId === chat.peerId) chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
  }

  /** Applies a cleared position of this user. */
  applyClearedPosition({ chatId, clearedSeq, readSeq }: { chatId: number; clearedSeq: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    chat.readSeq = Math.max(chat.readSeq, readSeq);
    clearUpTo(chat, clearedSeq);
  }

  /** Applies the response of `sync`. @returns the entries that were applied */
  applySync({ chats, left, state, epoch }: Omit<SyncItem, "hasMore">): SyncedChat[] {
    // Another history: everything known belongs to the one before.
    if (this.epoch !== undefined && this.epoch !== epoch) this.chats.clear();
    if (this.rules.followsEpoch) this.epoch = epoch;
    for (const chatId of left) this.chats.delete(chatId);
    if (state) this.state.applySync(state);
    return chats.filter((entry) => this.applySyncedChat(entry));
  }

  /** Keeps a message that is neither cleared nor too old, and applies it to the replies to it. */
  private keep(chat: LocalChat, item: MessageItem): void {
    if (item.seq > chat.clearedSeq && item.seq >= chat.oldestSeq) chat.messages.set(item.seq, item);
    if (this.rules.updatesReplies) updateReplies(chat, item);
  }

  private applySyncedChat(entry: SyncedChat): boolean {
    const { chatId, kind, userId: peerId, version, readSeq, clearedSeq, peerReadSeq, tooLong, reset } = entry;
    const current = this.chats.get(chatId);
    // The chat was in the request and has been left since.
    if (!current && !isCompleteEntry(entry)) {
      this.requestSync();
      return false;
    }
    const isPartial = tooLong || reset;
    const known = isPartial ? undefined : current;
    const messages = known?.messages ?? new Map<number, MessageItem>();
    const oldestSeq = isPartial ? oldestSeqOf(entry) : (known?.oldestSeq ?? 1);
    const oldClearedSeq = known?.clearedSeq ?? 0;
    const chat = {
      chatId,
      kind,
      peerId,
      version,
      readSeq,
      clearedSeq: oldClearedSeq,
      peerReadSeq,
      avatarId: kind === "group" ? entry.avatarId : undefined,
      messages,
      oldestSeq,
    };
    clearUpTo(chat, clearedSeq);
    for (const item of entry.messages) this.keep(chat, item);
    this.chats.set(chatId, chat);
    return true;
  }
}

const oldestSeqOf = ({ lastSeq, messages }: SyncedChat): number =>
  Math.min(lastSeq + 1, ...messages.map(({ seq }) => seq));

/** Whether the change ends the user's membership of the chat. */
const endsMembership = ({ event }: MessageItem, userId: number): boolean =>
  (event?.kind === "memberLeft" && event.byUserId === userId) ||
  (event?.kind === "memberRemoved" && event.userId === userId) ||
  event?.kind === "groupDeleted";
