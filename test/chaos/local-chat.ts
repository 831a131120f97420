import type { MessageItem } from "../../src/contract/messages.ts";

/** The state of one chat on a device. */
export interface LocalChat {
  chatId: number;
  kind: "dialog" | "group";
  /** The other user of a dialog. */
  peerId: number | undefined;
  version: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq: number | undefined;
  /** The avatar of a group. That of the other user of a dialog changes without a change of the chat. */
  avatarId: string | undefined;
  /** By `seq`. */
  messages: Map<number, MessageItem>;
  /** From this `seq` on, `messages` is complete. A sync with too many changes sends only the newest messages. */
  oldestSeq: number;
}

/** Raises the cleared position and drops the messages up to it. */
export function clearUpTo(chat: LocalChat, clearedSeq: number): void {
  for (let seq = chat.clearedSeq + 1; seq <= clearedSeq; seq++) chat.messages.delete(seq);
  chat.clearedSeq = Math.max(chat.clearedSeq, clearedSeq);
}

const previewLength = 100;

/** The beginning of a text as replies to it show it. A surrogate pair is not split. */
export function previewOf(text: string): string {
  const cut = text.slice(0, previewLength);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** Applies a changed message to the replies to it: the server does not send them again. */
export function updateReplies({ messages }: LocalChat, original: MessageItem): void {
  const { messageId, message, deletedAt } = original;
  for (const [seq, reply] of messages) {
    if (reply.replyTo?.messageId !== messageId) continue;
    const replyTo = { ...reply.replyTo, preview: previewOf(message), deletedAt };
    messages.set(seq, { ...reply, replyTo });
  }
}
