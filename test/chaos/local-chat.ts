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
  /** By `seq`. */
  messages: Map<number, MessageItem>;
  /** Older messages are missing: a sync had too many changes and sent only the newest page. */
  partial: boolean;
}

/** Raises the cleared position and drops the messages up to it. */
export function clearUpTo(chat: LocalChat, clearedSeq: number): void {
  for (let seq = chat.clearedSeq + 1; seq <= clearedSeq; seq++) chat.messages.delete(seq);
  chat.clearedSeq = Math.max(chat.clearedSeq, clearedSeq);
}
