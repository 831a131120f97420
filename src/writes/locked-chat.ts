import type { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import { hasGroupAvatar, type NewAvatar, setGroupAvatar } from "../db/queries/avatars/avatars.ts";
import {
  addMember,
  endChats as endStoredChats,
  eraseMessages,
  insertForwarded,
  insertSystemMessages,
  latestNaming,
  recordChange,
  removeMember as removeStoredMember,
  renameGroup,
  reviseMessage,
  setRoles as setStoredRoles,
} from "../db/queries/chats/chat-writes.ts";
import { copyFiles } from "../db/queries/files/files.ts";
import { addMentions } from "../db/queries/messages/mentions.ts";
import { messagesById } from "../db/queries/messages/messages.ts";
import { deletePin, insertPin } from "../db/queries/messages/pins.ts";
import {
  deleteReaction,
  deleteReactionsOf,
  insertReaction,
  type ReactionKey,
} from "../db/queries/messages/reactions.ts";
import type { ChatKind, Role } from "../domain/chat.ts";
import type { StoredEvent } from "../domain/event.ts";
import type { ChatMessage, MentionedPeople, MessageChange } from "../domain/message.ts";

/** A message that the server writes about a group: an event, before it has its place in the chat. */
export interface SystemMessage {
  senderId: number;
  event: StoredEvent;
  clientMessageId?: string | undefined;
}

/** The transaction that holds the lock of a chat. */
export interface LockingTransaction {
  readonly database: Database;
  readonly transaction: Transaction;
  /** Records a change of a locked chat, to be published after the commit. */
  record(chat: LockedChat, message: ChatMessage): void;
}

/** A chat whose row lock a transaction holds, so its members and messages cannot change meanwhile. */
export class LockedChat {
  constructor(
    readonly lockedBy: LockingTransaction,
    readonly id: number,
    readonly kind: ChatKind,
    /** The role of each member, those who joined first at the start. */
    readonly members: Map<number, Role>,
  ) {}

  /** Appends a system message, under the chat's next `seq` and `version`. */
  async append(message: SystemMessage): Promise<ChatMessage> {
    const [appended] = await appendToChats([{ chat: this, ...message }]);
    if (!appended) throw new Error(`a system message of chat ${this.id} was not written`);
    return appended;
  }

  /** Appends a copy of a message of any chat, under the chat's next `seq` and `version`; undefined if it is deleted. */
  async appendForwarded(copy: {
    senderId: number;
    messageId: number;
    clientMessageId: string | undefined;
  }): Promise<ChatMessage | undefined> {
    const { database, transaction } = this.lockedBy;
    const id = await insertForwarded(database, { chatId: this.id, ...copy }, transaction);
    if (id !== undefined) await copyFiles(database, { fromMessageId: copy.messageId, toMessageId: id }, transaction);
    const message = id === undefined ? undefined : await this.findMessage(id);
    if (message) this.lockedBy.record(this, message);
    return message;
  }

  /** Returns a message of this chat; undefined if the chat has no such message. */
  async findMessage(messageId: number): Promise<ChatMessage | undefined> {
    const { database, transaction } = this.lockedBy;
    const [message] = await messagesById(database, [messageId], transaction);
    return message?.chatId === this.id ? message : undefined;
  }

  /** Replaces the content of a message and its mentions, under the chat's next `version`. */
  editMessage(edit: { messageId: number; byUserId: number; content: string } & MentionedPeople): Promise<ChatMessage> {
    return this.revise(edit);
  }

  /** Removes the content of a message for good, under the chat's next `version`. The message keeps its place. */
  deleteMessage(messageId: number, byUserId: number): Promise<ChatMessage> {
    return this.revise({ messageId, byUserId, content: null, mentions: [], mentionsAll: false });
  }

  /**
   * Removes the content of messages for good, each under the next `version`, without naming who did it. Skips those that
   * are deleted already.
   */
  async eraseMessages(messageIds: readonly number[]): Promise<void> {
    const { database, transaction } = this.lockedBy;
    const erased = await eraseMessages(database, { chatId: this.id, messageIds }, transaction);
    for (const message of await messagesById(database, erased, transaction)) this.lockedBy.record(this, message);
  }

  /** Adds or removes a reaction, under the chat's next `version`. It must not be as wanted already. */
  async setReaction(reaction: ReactionKey, on: boolean): Promise<ChatMessage> {
    const { database, transaction } = this.lockedBy;
    await (on ? insertReaction : deleteReaction)(database, reaction, transaction);
    const { messageId, userId, emoji } = reaction;
    return this.recordOne(messageId, { kind: "reaction", by: userId, emoji, on });
  }

  /** Removes all reactions of a person to these messages, each under a `version` of its own. */
  async removeReactionsOf(userId: number, messageIds: readonly number[]): Promise<void> {
    const { database, transaction } = this.lockedBy;
    const changed = await deleteReactionsOf(database, { userId, messageIds }, transaction);
    if (changed.length > 0) await this.recordAll(changed, { kind: "reaction", by: userId });
  }

  /** Pins a message or removes its pin, under the chat's next `version`. It must not be as wanted already. */
  async setPin({ messageId, userId }: { messageId: number; userId: number }, on: boolean): Promise<ChatMessage> {
    const { database, transaction } = this.lockedBy;
    if (on) await insertPin(database, { chatId: this.id, messageId, userId }, transaction);
    else await deletePin(database, messageId, transaction);
    return this.recordOne(messageId, { kind: "pin", by: userId, on });
  }

  /** Adds a member who has read everything up to `readSeq`. */
  async addMember(userId: number, { role, readSeq }: { role: Role; readSeq: number }): Promise<void> {
    const { database, transaction } = this.lockedBy;
    await addMember(database, { chatId: this.id, userId, role, readSeq }, transaction);
    this.members.set(userId, role);
  }

  removeMember(userId: number): Promise<void> {
    return removeMember([this], userId);
  }

  setRole(userId: number, role: Role): Promise<void> {
    return setRoles([{ chat: this, userId, role }]);
  }

  /** Returns the system message that gave a group its name; undefined for other chats. */
  async findNaming(): Promise<ChatMessage | undefined> {
    const { database, transaction } = this.lockedBy;
    const messageId = await latestNaming(database, this.id, transaction);
    return messageId === undefined ? undefined : this.findMessage(messageId);
  }

  async rename(name: string): Promise<void> {
    const { database, transaction } = this.lockedBy;
    await renameGroup(database, { chatId: this.id, name }, transaction);
  }

  hasAvatar(): Promise<boolean> {
    const { database, transaction } = this.lockedBy;
    return hasGroupAvatar(database, this.id, transaction);
  }

  /** Gives a group an avatar, or removes it. */
  async setAvatar(avatar: NewAvatar | undefined): Promise<void> {
    const { database, transaction } = this.lockedBy;
    await setGroupAvatar(database, { groupId: this.id, avatar }, transaction);
  }

  end(): Promise<void> {
    return endChats([this]);
  }

  private async recordOne(messageId: number, change: MessageChange): Promise<ChatMessage> {
    const [message] = await this.recordAll([messageId], change);
    if (!message) throw new Error(`chat ${this.id} has no message ${messageId}`);
    return message;
  }

  /** Records a change of messages that has been written; each takes the chat's next `version`. */
  private async recordAll(messageIds: readonly number[], change: MessageChange): Promise<ChatMessage[]> {
    const { database, transaction } = this.lockedBy;
    const ids = await recordChange(database, { chatId: this.id, messageIds, change }, transaction);
    const messages = await messagesById(database, ids, transaction);
    for (const message of messages) this.lockedBy.record(this, message);
    return messages;
  }

  private async revise(
    revision: { messageId: number; byUserId: number; content: string | null } & MentionedPeople,
  ): Promise<ChatMessage> {
    const { database, transaction } = this.lockedBy;
    const isRevised = await reviseMessage(database, { chatId: this.id, ...revision }, transaction);
    const { messageId, mentions, mentionsAll } = revision;
    if (mentions.length > 0 || mentionsAll) {
      await addMentions(database, { messageId, mentions, mentionsAll }, transaction);
    }
    const message = isRevised ? await this.findMessage(messageId) : undefined;
    if (!message) throw new Error(`chat ${this.id} has no message ${messageId}`);
    this.lockedBy.record(this, message);
    return message;
  }
}

/*
 * The same for many chats that one transaction has locked, in as many statements as for one: meanwhile nobody else can
 * write to these chats.
 */

/**
 * Appends a system message to each of these chats, at most one to each; its sender has read it.
 * @returns the messages, in the order given
 */
export async function appendToChats(
  messages: readonly (SystemMessage & { chat: LockedChat })[],
): Promise<ChatMessage[]> {
  const [first] = messages;
  if (!first) return [];
  const { database, transaction } = first.chat.lockedBy;
  const rows = messages.map(({ chat, ...message }) => ({ chatId: chat.id, ...message }));
  const ids = await insertSystemMessages(database, rows, transaction);
  const written = await messagesById(database, ids, transaction);
  const messageByChat = new Map(written.map((message) => [message.chatId, message]));
  return messages.map(({ chat }) => {
    const message = messageByChat.get(chat.id);
    if (!message) throw new Error(`a system message of chat ${chat.id} was not written`);
    chat.lockedBy.record(chat, message);
    return message;
  });
}

/** Removes a person from each of these chats. */
export async function removeMember(chats: readonly LockedChat[], userId: number): Promise<void> {
  const [first] = chats;
  if (!first) return;
  const { database, transaction } = first.lockedBy;
  await removeStoredMember(database, { chatIds: chats.map(({ id }) => id), userId }, transaction);
  for (const { members } of chats) members.delete(userId);
}

/** Gives a member of each of these chats another role. */
export async function setRoles(members: readonly { chat: LockedChat; userId: number; role: Role }[]): Promise<void> {
  const [first] = members;
  if (!first) return;
  const { database, transaction } = first.chat.lockedBy;
  const rows = members.map(({ chat, ...member }) => ({ chatId: chat.id, ...member }));
  await setStoredRoles(database, rows, transaction);
  for (const { chat, userId, role } of members) chat.members.set(userId, role);
}

/** Ends chats: afterwards they answer like chats that never existed. Their messages are purged later. */
export async function endChats(chats: readonly LockedChat[]): Promise<void> {
  const [first] = chats;
  if (!first) return;
  const { database, transaction } = first.lockedBy;
  const ids = chats.map(({ id }) => id);
  await endStoredChats(database, ids, transaction);
  for (const { members } of chats) members.clear();
}
