import type { Database } from "../../db/connect.ts";
import { messageAccess } from "../../db/queries/chats/member-state.ts";
import {
  deletedUserWithReactions,
  type ListedReaction,
  type ReactionState,
  reactionState,
  reactionsTo,
  someReactedMessages,
} from "../../db/queries/messages/reactions.ts";
import type { Actor } from "../../domain/actor.ts";
import type { ChatMessage } from "../../domain/message.ts";
import { noSuchMessage } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";
import type { Page } from "./history.ts";
import { type MessageAccess, type MessageChanges, requireOpenChat } from "./message-changes.ts";

/** Different emoji of one message. */
const maxEmoji = 20;
/** Reactions of one person to one message. */
const maxOwn = 10;
/** Messages of a deleted account's reactions that one transaction changes. */
const chunkSize = 200;

/** Reactions with emoji to messages. */
export class Reactions {
  private isStopped = false;

  constructor(
    private readonly options: { database: Database; chatWriter: ChatWriter; messageChanges: MessageChanges },
  ) {}

  /** Adds or removes a reaction of the caller. If it is as wanted already, nothing is stored. */
  react(by: Actor, { messageId, emoji, on }: { messageId: number; emoji: string; on: boolean }): Promise<ChatMessage> {
    return this.options.messageChanges.change(by, {
      messageId,
      requireAllowed: requireReactable,
      work: async ({ chat, message, tx }) => {
        const reaction = { messageId, userId: by.userId, emoji };
        const state = await reactionState(this.options.database, reaction, tx.transaction);
        if (state.isSet === on) return message;
        if (on) requireCapacity(state);
        return chat.setReaction(reaction, on);
      },
    });
  }

  /** Returns who reacts to a message of a chat of the caller, the earliest first. */
  async list(userId: number, { messageId, limit, page }: Page & { messageId: number }): Promise<ListedReaction[]> {
    const { database } = this.options;
    const access = await messageAccess(database, { messageId, userId });
    if (!access || access.isDeleted) throw noSuchMessage();
    return reactionsTo(database, { messageId, limit, offset: (page - 1) * limit });
  }

  /** Removes the reactions of a deleted account, step by step. The members of the chats are notified. */
  async removeAllOf(userId: number): Promise<void> {
    while (!this.isStopped && (await this.removeSomeOf(userId)));
  }

  /** Stops removing the reactions of deleted accounts; the job goes on with them after the next start. */
  stop(): void {
    this.isStopped = true;
  }

  /**
   * Removes reactions that a deleted account has left, if there are any.
   * @returns whether there may be more
   */
  async removeSomeOfDeleted(): Promise<boolean> {
    const userId = await deletedUserWithReactions(this.options.database);
    return userId !== undefined && this.removeSomeOf(userId);
  }

  private async removeSomeOf(userId: number): Promise<boolean> {
    const { database, chatWriter } = this.options;
    const found = await someReactedMessages(database, { userId, limit: chunkSize });
    if (!found) return false;
    const { chatId, messageIds } = found;
    await chatWriter.commit(undefined, async (tx) => {
      const chat = await tx.lock(chatId);
      if (chat) await chat.removeReactionsOf(userId, messageIds);
      // The group has ended: nobody can read it.
      else await tx.deleteReactionsOf(userId, messageIds);
    });
    return true;
  }
}

function requireReactable(access: MessageAccess): void {
  if (access.isEvent) throw new AppError("forbidden", "A system message has no reactions");
  if (access.isDeleted) throw new AppError("forbidden", "This message is deleted");
  requireOpenChat(access);
}

function requireCapacity({ isUsed, emojiCount, ownCount }: ReactionState): void {
  if (ownCount >= maxOwn) throw new AppError("limit", `You can react to a message with at most ${maxOwn} emoji`);
  if (!isUsed && emojiCount >= maxEmoji) {
    throw new AppError("limit", `A message has reactions with at most ${maxEmoji} different emoji`);
  }
}
