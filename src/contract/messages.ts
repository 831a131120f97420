import { eventKinds } from "../domain/event.ts";
import {
  chatId,
  clientMessageId,
  groupId,
  groupName,
  messageId,
  seq,
  shownText,
  time,
  userId,
  version,
} from "./fields.ts";
import { described, exactly, flag, type Infer, nullable, object, oneOf, optional, text } from "./schema.ts";

/** What happened to a group, for programs; the message's text says the same for people. */
export const chatEvent = object({
  kind: described(oneOf(...eventKinds), "What happened. More kinds will come: treat an unknown one as plain text."),
  byUserId: described(userId(), "Who did it."),
  userId: optional(described(userId(), "Whom it happened to, where that is not `byUserId`.")),
  groupName: optional(described(groupName(), "The name given by `groupCreated` and `groupRenamed`.")),
  role: optional(described(oneOf("admin", "member"), "The role given by `roleChanged`.")),
});
export type ChatEvent = Infer<typeof chatEvent>;

/** The message that another one answers, as it is today. */
export const repliedMessage = object({
  messageId: messageId(),
  senderId: userId(),
  senderName: text({ max: 64 }),
  preview: described(text({ min: 0, max: 100, blank: true }), "How it begins; empty once deleted."),
  deletedAt: nullable(time()),
});

/** A message as pushes and answers carry it in `params.item`. */
export const messageItem = object({
  chatId: chatId(),
  messageId: messageId(),
  seq: seq(),
  version: version(),
  senderId: userId(),
  senderName: described(text({ max: 64 }), "First name of the sender; `Deleted user` once the account is gone."),
  senderLastName: nullable(text({ max: 64 })),
  receiverId: optional(described(userId(), "In a dialog: whom the message is for.")),
  groupId: optional(groupId()),
  groupName: optional(groupName()),
  message: described(shownText(), "The text; empty once deleted."),
  clientMessageId: optional(clientMessageId()),
  duplicate: optional(described(exactly(true), "This `clientMessageId` was stored before; nothing was stored now.")),
  replyTo: optional(repliedMessage),
  notification: described(flag(), "The server wrote it about the group; `event` says what happened."),
  event: optional(chatEvent),
  createdAt: time(),
  editedAt: nullable(time()),
  deletedAt: nullable(time()),
});
export type MessageItem = Infer<typeof messageItem>;

/** An item for the documents: what is given, and what all have in common. */
export const exampleItem = (given: Partial<MessageItem>): MessageItem => ({
  chatId: 1,
  messageId: 65,
  seq: 12,
  version: 12,
  senderId: 1,
  senderName: "Patrick0",
  senderLastName: null,
  message: "",
  notification: false,
  createdAt: "2023-07-28T13:20:09.896Z",
  editedAt: null,
  deletedAt: null,
  ...given,
});

/** What every row of a list of messages carries beside the columns that its screen names. */
export const rowExtras = {
  id: messageId(),
  seq: seq(),
  version: version(),
  notification: flag(),
  event: optional(chatEvent),
  replyTo: optional(repliedMessage),
  editedAt: nullable(time()),
  deletedAt: nullable(time()),
} as const;

/** What every row has in common, for the documents. */
export const exampleRowExtras = { id: 65, seq: 12, version: 12, notification: false, editedAt: null, deletedAt: null };
