import { eventKinds, type StoredEvent } from "../domain/event.ts";
import { changeKinds, type MessageChange as StoredChange, type Reaction as StoredReaction } from "../domain/message.ts";
import {
  avatarId,
  chatId,
  clientMessageId,
  counter,
  groupId,
  groupName,
  messageId,
  seq,
  shownEmoji,
  shownText,
  time,
  userId,
  version,
} from "./fields.ts";
import { file } from "./files.ts";
import { shownMentions } from "./mentions.ts";
import {
  described,
  exactly,
  extended,
  flag,
  type Infer,
  integer,
  integers,
  list,
  named,
  nullable,
  object,
  oneOf,
  optional,
  text,
} from "./schema.ts";

export const memberRole = named("MemberRole", oneOf("owner", "admin", "member"), "The role of a member in a group.");

export const assignableRole = named(
  "AssignableRole",
  oneOf("admin", "member"),
  "A role that the owner of a group can give.",
);

export const chatEvent = named(
  "ChatEvent",
  object({
    kind: named(
      "ChatEventKind",
      described(oneOf(...eventKinds), "What happened. More kinds will be added: show an unknown one as plain text."),
    ),
    byUserId: described(userId(), "The user who did it."),
    userId: optional(described(userId(), "The user it happened to, if that is not `byUserId`.")),
    groupName: optional(described(groupName(), "The name given by `groupCreated` and `groupRenamed`.")),
    role: optional(described(assignableRole, "The role given by `roleChanged`.")),
    avatarId: optional(described(avatarId(), "The avatar given by `avatarChanged`; absent if it was removed.")),
  } satisfies Record<Exclude<keyof StoredEvent, "memberIds">, unknown>),
  "What happened to a group, for programs; the message's text says the same for people.",
);
export type ChatEvent = Infer<typeof chatEvent>;

export const messageChange = named(
  "MessageChange",
  object({
    kind: named(
      "MessageChangeKind",
      described(oneOf(...changeKinds), "What was done. More kinds will be added: apply the message all the same."),
    ),
    by: described(nullable(userId()), "The user who did it; `null` where that is not known."),
    emoji: optional(
      described(shownEmoji(), "Of a reaction; absent if all reactions of a deleted account were removed."),
    ),
    on: optional(described(flag(), "Whether the reaction or the pin was added or removed.")),
  } satisfies Record<keyof StoredChange, unknown>),
  "What was done to a message after it was sent.",
);

export const messageReactions = list(
  named(
    "Reaction",
    object({
      emoji: shownEmoji(),
      count: described(integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), "The number of people."),
      userIds: described(list(userId()), "The first 20 of them, the earliest first."),
      mine: optional(
        described(
          exactly(true),
          "You are one of them. Only in answers to requests that read messages; never in pushes and in answers to changes, which are the same for everybody.",
        ),
      ),
    } satisfies Record<keyof StoredReaction, unknown>),
    "The people who react to a message with one emoji.",
  ),
);

export const messageFiles = list(file);

export const repliedMessage = named(
  "RepliedMessage",
  object({
    messageId: messageId(),
    seq: optional(described(seq(), "Its position in the chat.")),
    senderId: userId(),
    senderName: text({ max: 64 }),
    preview: described(text({ min: 0, max: 100, blank: true }), "The beginning of its text; empty once deleted."),
    deletedAt: nullable(time()),
  }),
  "The message that another one replies to, as it is now.",
);

export const forwarded = named(
  "Forwarded",
  object({
    senderId: described(userId(), "The user who first wrote it."),
    senderName: described(text({ max: 64 }), "First name; `Deleted user` once the account is gone."),
  }),
  "Who first wrote a forwarded message. Absent once it is deleted.",
);

export const messageItem = named(
  "MessageItem",
  object({
    chatId: chatId(),
    messageId: messageId(),
    seq: seq(),
    version: version(),
    senderId: userId(),
    senderName: described(text({ max: 64 }), "First name of the sender; `Deleted user` once the account is gone."),
    senderLastName: nullable(text({ max: 64 })),
    receiverId: optional(described(userId(), "The recipient, in a dialog.")),
    groupId: optional(groupId()),
    groupName: optional(groupName()),
    message: described(shownText(), "The text; empty once deleted."),
    clientMessageId: optional(clientMessageId()),
    duplicate: optional(
      described(
        exactly(true),
        "The message was stored by an earlier request with this `clientMessageId`; this one stored nothing.",
      ),
    ),
    replyTo: optional(repliedMessage),
    notification: described(flag(), "A system message of the group; `event` says what happened."),
    event: optional(chatEvent),
    change: optional(described(messageChange, "The last change since the message was sent; absent if there was none.")),
    reactions: optional(
      described(messageReactions, "In order of the earliest reaction with each emoji; absent if there are none."),
    ),
    ...shownMentions,
    pinned: optional(
      described(
        named("Pin", object({ by: described(userId(), "The user who pinned it."), at: time() })),
        "Present while the message is pinned.",
      ),
    ),
    forwarded: optional(forwarded),
    files: optional(described(messageFiles, "In the order in which they were sent; absent if there are none.")),
    createdAt: time(),
    editedAt: nullable(time()),
    deletedAt: nullable(time()),
  }),
  "A message, as answers and pushes carry it.",
);
export type MessageItem = Infer<typeof messageItem>;

export const foundMessage = named(
  "FoundMessage",
  extended(messageItem, "MessageItem", {
    highlights: described(
      list(integers([counter(), integer({ min: 1, max: 10_000 })], { optional: 0 })),
      "Where the words are in `message`: [offset, length] in UTF-16 units, by ascending offset and without overlaps.",
    ),
  }),
  "A message that a search has found.",
);

/** An example item for the documents, with defaults for the fields that are not given. */
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

/** The fields that every row of a list of messages has beside its own columns. */
export const rowExtras = {
  id: messageId(),
  seq: seq(),
  version: version(),
  notification: flag(),
  event: optional(chatEvent),
  replyTo: optional(repliedMessage),
  files: optional(messageFiles),
  editedAt: nullable(time()),
  deletedAt: nullable(time()),
} as const;

/** The further fields of rows of a history. */
export const historyRowExtras = {
  ...rowExtras,
  reactions: optional(messageReactions),
  ...shownMentions,
  forwarded: optional(forwarded),
} as const;

/** Example values of `rowExtras`. */
export const exampleRowExtras = { id: 65, seq: 12, version: 12, notification: false, editedAt: null, deletedAt: null };
