import type { MessageItem } from "../../src/contract/messages.ts";
import type { StoredMessage } from "./final-state.ts";

/** A stored message as the server sends it. */
export function itemOf(row: StoredMessage): MessageItem {
  const { id: messageId, chatId, seq, version, senderId, content: message, event, editedAt, deletedAt } = row;
  return {
    chatId,
    messageId,
    seq,
    version,
    senderId,
    senderName: "Sender",
    senderLastName: null,
    message,
    notification: event !== null,
    ...(event && { event: event as NonNullable<MessageItem["event"]> }),
    createdAt: new Date(0).toISOString(),
    editedAt: editedAt?.toISOString() ?? null,
    deletedAt: deletedAt?.toISOString() ?? null,
  };
}
