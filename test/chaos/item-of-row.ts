import type { MessageItem } from "../../src/contract/messages.ts";
import { type StoredMessage, shownAuthorOf } from "./final-state.ts";

/** A stored message as the server sends it. */
export function itemOf(row: StoredMessage): MessageItem {
  const { id: messageId, chatId, seq, version, senderId, content: message, event, editedAt, deletedAt } = row;
  const firstAuthorId = shownAuthorOf(row);
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
    ...(row.files && { files: row.files.map(fileOf) }),
    ...(row.mentions && { mentions: row.mentions }),
    ...(row.mentionsAll && { mentionsAll: true as const }),
    ...(firstAuthorId !== undefined && { forwarded: { senderId: firstAuthorId, senderName: "Author" } }),
    createdAt: new Date(0).toISOString(),
    editedAt: editedAt?.toISOString() ?? null,
    deletedAt: deletedAt?.toISOString() ?? null,
  };
}

const fileOf = (id: string) => ({
  id,
  name: "file.txt",
  size: 1,
  mediaType: "text/plain",
  width: null,
  height: null,
  thumbHash: null,
});
