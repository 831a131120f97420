import type { MessageItem } from "../../src/contract/messages.ts";
import type { Device } from "./device.ts";
import { type KnownChat, knownOf, type SyncAnswer } from "./sync.ts";

/** A message without the names, which are read anew each time. */
const withoutNames = ({ messageId, seq, version, senderId, notification, ...item }: MessageItem) => ({
  ...{ messageId, seq, version, senderId, event: item.event, message: notification ? null : item.message },
  ...{ replyTo: item.replyTo?.messageId, editedAt: item.editedAt, deletedAt: item.deletedAt },
});

interface LocalChat {
  kind: "dialog" | "group";
  groupName: string | undefined;
  userId: number | undefined;
  version: number;
  lastSeq: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq: number | undefined;
  messages: Map<number, ReturnType<typeof withoutNames>>;
}

/** The state of a device, built only from answers and pushes by the rules that PROTOCOL.md gives to clients. */
export class Replica {
  readonly chats = new Map<number, LocalChat>();
  /** Chats that received a change whose version is not the next. */
  readonly chatsWithGap = new Set<number>();
  private appliedFrames = 0;

  constructor(private readonly userId: number) {}

  /** What a sync request reports. */
  get known(): KnownChat[] {
    return [...this.chats].map(([chatId, chat]) => knownOf({ chatId, ...chat }));
  }

  /** Switches to a new socket. */
  startNewSocket(): void {
    this.appliedFrames = 0;
  }

  /** Applies the frames received on this socket since the last call. */
  applyFrames({ frames }: Device): void {
    for (const { type, error, params } of frames.slice(this.appliedFrames)) {
      if (error || !params.item) continue;
      if (type === "sync") this.applySync(params.item);
      else if (type === "markRead") this.applyReadPosition(params.item);
      else if (type === "clearDialog") this.applyClearedPosition(params.item);
      else if (params.item.version) this.applyChange(params.item);
    }
    this.appliedFrames = frames.length;
  }

  applySync({ chats, left }: SyncAnswer): void {
    for (const chatId of left) this.chats.delete(chatId);
    for (const { chatId, messages, ...synced } of chats) {
      const { kind, groupName, userId, version, lastSeq, readSeq, clearedSeq, peerReadSeq } = synced;
      const kept = synced.tooLong || synced.reset ? undefined : this.chats.get(chatId)?.messages;
      const chat = { kind, groupName, userId, version, lastSeq, readSeq, clearedSeq, peerReadSeq };
      this.chats.set(chatId, { ...chat, messages: kept ?? new Map() });
      for (const item of messages) this.store(chatId, item);
      this.applyClearedPosition({ chatId, clearedSeq, readSeq });
    }
  }

  private applyChange(item: MessageItem): void {
    const { chatId, version, seq, senderId, event } = item;
    const chat = this.chats.get(chatId);
    if (version <= (chat?.version ?? 0)) return;
    const leaverId = event?.kind === "memberLeft" ? event.byUserId : event?.kind === "memberRemoved" ? event.userId : 0;
    if (leaverId === this.userId || event?.kind === "groupDeleted") this.chats.delete(chatId);
    else if (chat && version === chat.version + 1) {
      chat.version = version;
      if (item.groupName !== undefined) chat.groupName = item.groupName;
      // A sender has read everything before the sent message.
      if (seq > chat.lastSeq) this.applyReadPosition({ chatId, userId: senderId, readSeq: seq });
      chat.lastSeq = Math.max(chat.lastSeq, seq);
      this.store(chatId, item);
    } else this.chatsWithGap.add(chatId);
  }

  private store(chatId: number, item: MessageItem): void {
    const chat = this.chats.get(chatId);
    if (chat && item.seq > chat.clearedSeq) chat.messages.set(item.seq, withoutNames(item));
  }

  private applyReadPosition({ chatId, userId, readSeq }: { chatId: number; userId: number; readSeq: number }): void {
    const chat = this.chats.get(chatId);
    if (!chat) return;
    if (userId === this.userId) chat.readSeq = Math.max(chat.readSeq, readSeq);
    else if (chat.kind === "dialog") chat.peerReadSeq = Math.max(chat.peerReadSeq ?? 0, readSeq);
  }

  private applyClearedPosition(position: { chatId: number; clearedSeq: number; readSeq: number }): void {
    const chat = this.chats.get(position.chatId);
    if (!chat) return;
    chat.clearedSeq = Math.max(chat.clearedSeq, position.clearedSeq);
    chat.readSeq = Math.max(chat.readSeq, position.readSeq);
    for (const seq of chat.messages.keys()) if (seq <= chat.clearedSeq) chat.messages.delete(seq);
  }

  /** The whole state in an order that does not depend on how it was received. */
  get state() {
    return [...this.chats]
      .sort(([a], [b]) => a - b)
      .map(([chatId, { messages, ...chat }]) => ({
        ...{ chatId, ...chat },
        messages: [...messages.values()].sort((a, b) => a.seq - b.seq),
      }));
  }
}
