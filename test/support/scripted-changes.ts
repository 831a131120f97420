import type { Change } from "../../src/domain/change.ts";
import type { StoredEvent } from "../../src/domain/event.ts";
import type { ChatMessage } from "../../src/domain/message.ts";

/* Changes of one chat, made by hand for the unit tests of delivery. */

export const chatId = 7;

export const message = (version: number): ChatMessage => ({
  id: version,
  chatId,
  seq: version,
  version,
  sender: { id: 1, firstName: "Ann", lastName: null },
  receiver: null,
  groupName: "new name",
  content: `text ${version}`,
  event: null,
  clientMessageId: null,
  replyTo: null,
  change: null,
  reactions: [],
  mentions: [],
  mentionsAll: false,
  pinned: null,
  firstAuthor: null,
  files: [],
  createdAt: new Date(),
  editedAt: null,
  deletedAt: null,
});

export const eventMessage = (version: number, event: StoredEvent): ChatMessage => ({
  ...message(version),
  event: { ...event, subject: null },
});

export const joined = (version: number, userId: number) =>
  eventMessage(version, { kind: "memberAdded", byUserId: 1, userId });

export const left = (version: number, userId: number) =>
  eventMessage(version, { kind: "memberLeft", byUserId: userId });

export const change = (version: number): Change => ({ message: message(version), recipientIds: [1, 2] });
