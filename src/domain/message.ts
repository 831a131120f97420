import type { StoredEvent } from "./event.ts";
import type { FileInfo } from "./file.ts";
import type { Person } from "./person.ts";

/** An event with the person concerned, under today's name. */
export type MessageEvent = StoredEvent & { subject: Person | null };

/** What was done to a message after it was sent. Adding a kind makes the compiler name every place that must handle it. */
export const changeKinds = ["edit", "delete", "reaction", "pin"] as const;

/** The last change of a message. */
export interface MessageChange {
  kind: (typeof changeKinds)[number];
  /** The user who did it; null where that is not known. */
  by: number | null;
  /** Of a reaction; absent if all reactions of a deleted account were removed. */
  emoji?: string;
  /** Whether the reaction or the pin was added or removed. */
  on?: boolean;
}

/** The people who react to a message with one emoji. */
export interface Reaction {
  emoji: string;
  count: number;
  /** The first of them. */
  userIds: number[];
  /** Set if the person for whom the message was read is one of them. */
  mine?: true;
}

/** A part of a text that means a person, in UTF-16 units. */
export interface Mention {
  userId: number;
  offset: number;
  length: number;
}

/** Whom a text means. */
export interface MentionedPeople {
  /** By rising offset. */
  mentions: readonly Mention[];
  /** Whether it means everybody in its group. */
  mentionsAll: boolean;
}

/** In larger groups, only admins and the owner may mention everybody. */
export const maxMembersForAll = 20;

/** That a message is pinned in its chat. */
export interface Pin {
  /** The user who pinned it. */
  by: number;
  at: Date;
}

/** A message with the current names of the people in it. Delivery and every list of messages use this form. */
export interface ChatMessage extends MentionedPeople {
  id: number;
  chatId: number;
  /** Position in the chat, without gaps. */
  seq: number;
  /** Number of the chat's last durable change to this message, without gaps per chat. */
  version: number;
  sender: Person;
  /** The recipient, in a dialog. */
  receiver: Person | null;
  /** The name of the group, in a group. */
  groupName: string | null;
  content: string;
  /** Set for system messages. */
  event: MessageEvent | null;
  clientMessageId: string | null;
  /** The message that this one replies to, as it is today. */
  replyTo: RepliedMessage | null;
  /** The last change since it was sent. */
  change: MessageChange | null;
  /** In order of the earliest of each emoji. */
  reactions: Reaction[];
  pinned: Pin | null;
  /** The user who first wrote it, if it was forwarded. Null once it is deleted. */
  firstAuthor: Person | null;
  files: FileInfo[];
  createdAt: Date;
  editedAt: Date | null;
  deletedAt: Date | null;
}

/** The part of a message that a reply to it shows. */
export interface RepliedMessage {
  id: number;
  /** Absent in a change that a process of an earlier version has published. */
  seq?: number;
  sender: Person;
  content: string;
  event: MessageEvent | null;
  groupName: string | null;
  deletedAt: Date | null;
}

/** The result of a send: the message just written, or the one stored earlier under the same client id. */
export type SentMessage = ChatMessage & { duplicate?: true };
