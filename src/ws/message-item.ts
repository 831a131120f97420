import type { ChatEvent, MessageItem } from "../contract/messages.ts";
import type { ChatMessage, SentMessage } from "../domain/message.ts";
import { displayText } from "../services/messages/system-message-text.ts";

/* Serialises messages: the items of pushes and answers and the rows of lists are all made here. */

export function toMessageItem(message: SentMessage): MessageItem {
  return {
    chatId: message.chatId,
    messageId: message.id,
    seq: message.seq,
    version: message.version,
    senderId: message.sender.id,
    senderName: message.sender.firstName,
    senderLastName: message.sender.lastName,
    ...(message.receiver
      ? { receiverId: message.receiver.id }
      : { groupId: message.chatId, ...(message.groupName !== null && { groupName: message.groupName }) }),
    message: displayText(message),
    ...(message.clientMessageId !== null && { clientMessageId: message.clientMessageId }),
    ...(message.duplicate && { duplicate: true }),
    ...replyOf(message),
    notification: message.event !== null,
    ...eventOf(message),
    ...(message.change && { change: message.change }),
    ...reactionsOf(message),
    ...mentionsOf(message),
    ...(message.pinned && { pinned: { by: message.pinned.by, at: message.pinned.at.toISOString() } }),
    ...forwardedOf(message),
    ...filesOf(message),
    createdAt: message.createdAt.toISOString(),
    editedAt: message.editedAt?.toISOString() ?? null,
    deletedAt: message.deletedAt?.toISOString() ?? null,
  };
}

/** The size of a message in an answer, in bytes. */
export const itemBytes = (message: ChatMessage): number => Buffer.byteLength(JSON.stringify(toMessageItem(message)));

export const reactionsOf = ({ reactions }: ChatMessage): Pick<MessageItem, "reactions"> =>
  reactions.length === 0 ? {} : { reactions };

export const forwardedOf = ({ firstAuthor }: ChatMessage): Pick<MessageItem, "forwarded"> =>
  firstAuthor ? { forwarded: { senderId: firstAuthor.id, senderName: firstAuthor.firstName } } : {};

export const mentionsOf = ({ mentions, mentionsAll }: ChatMessage): Pick<MessageItem, "mentions" | "mentionsAll"> => ({
  ...(mentions.length > 0 && { mentions }),
  ...(mentionsAll && { mentionsAll }),
});

/** The fields that all rows of message lists have in common. */
export function toRowExtras(message: ChatMessage) {
  return {
    id: message.id,
    seq: message.seq,
    version: message.version,
    notification: message.event !== null,
    ...eventOf(message),
    ...replyOf(message),
    ...filesOf(message),
    editedAt: message.editedAt?.toISOString() ?? null,
    deletedAt: message.deletedAt?.toISOString() ?? null,
  };
}

const filesOf = ({ files }: ChatMessage): Pick<MessageItem, "files"> => (files.length === 0 ? {} : { files });

function eventOf({ event }: ChatMessage): { event?: ChatEvent } {
  if (!event) return {};
  const { subject: _subject, memberIds: _memberIds, ...stored } = event;
  return { event: stored };
}

const previewLength = 100;

/** The beginning of a text. A surrogate pair is not split. */
function previewOf(text: string): string {
  const cut = text.slice(0, previewLength);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

function replyOf({ replyTo }: ChatMessage): Pick<MessageItem, "replyTo"> {
  if (!replyTo) return {};
  return {
    replyTo: {
      messageId: replyTo.id,
      ...(replyTo.seq !== undefined && { seq: replyTo.seq }),
      senderId: replyTo.sender.id,
      senderName: replyTo.sender.firstName,
      preview: previewOf(displayText(replyTo)),
      deletedAt: replyTo.deletedAt?.toISOString() ?? null,
    },
  };
}
