import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { pairKey } from "../../db/queries/chats/dialogs.ts";
import { groupRole, type MessageAccess, messageAccess } from "../../db/queries/chats/member-state.ts";
import { messageByClientId } from "../../db/queries/messages/messages.ts";
import { blocks, reachable } from "../../db/queries/people/blocked-people.ts";
import type { Actor } from "../../domain/actor.ts";
import type { ChatMessage, SentMessage } from "../../domain/message.ts";
import { noSuchMessage, noSuchUser, notMember } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import type { ChatTransaction, ChatWriter } from "../../writes/chat-transaction.ts";
import type { Dialogs } from "../../writes/dialogs.ts";
import type { LockedChat } from "../../writes/locked-chat.ts";
import type { RepeatedSends } from "../../writes/repeated-sends.ts";

/** Where a message is forwarded to. */
type Target = { groupId: number } | { receiverId: number };

/** A message to forward. */
interface Forward {
  messageId: number;
  to: Target;
  /** A repeated request with the same id returns the stored message, and stores nothing. */
  clientMessageId?: string | undefined;
}

/** The message that was written, or the id of the one that an earlier request with the same client id has stored. */
type Outcome = { written: ChatMessage } | { storedId: number };

/**
 * Forwards messages: writes copies that name the first author. What the caller may do is read first, without locks, and
 * again under the lock of the chat that gets the copy.
 */
export class Forwarding {
  constructor(
    private readonly options: {
      database: Database;
      dialogs: Dialogs;
      chatWriter: ChatWriter;
      repeatedSends: RepeatedSends;
    },
  ) {}

  /** Forwards a message of one of the caller's chats to a group or a person. */
  async forward(by: Actor, forward: Forward): Promise<SentMessage> {
    const outcome = (await this.findRepeated(by, forward)) ?? (await this.write(by, forward));
    if ("written" in outcome) return outcome.written;
    return this.options.repeatedSends.answer(outcome.storedId, {
      // Senders who have left get it without text: it may have been deleted since, which they must not learn.
      text: { content: "", mentions: [], mentionsAll: false },
      isSame: ({ forwardedFrom }, stored) => forwardedFrom === forward.messageId && isIn(stored, forward.to),
    });
  }

  private async findRepeated(
    { userId: senderId }: Actor,
    { clientMessageId }: Forward,
    transaction?: Transaction,
  ): Promise<Outcome | undefined> {
    if (clientMessageId === undefined) return undefined;
    const stored = await messageByClientId(this.options.database, { senderId, clientMessageId }, transaction);
    return stored && { storedId: stored.id };
  }

  private async write(by: Actor, forward: Forward): Promise<Outcome> {
    const { messageId, to, clientMessageId } = forward;
    const { userId } = by;
    await this.requireForwardable(by, messageId);
    const chatId = await this.open(by, to);
    return this.options.chatWriter.commit(by.requester, async (tx) => {
      const chat = await lockTarget(tx, chatId, { userId, to });
      const repeated = await this.findRepeated(by, forward, tx.transaction);
      if (repeated) return repeated;
      await this.requireForwardable(by, messageId, tx.transaction);
      const written = await chat.appendForwarded({ senderId: userId, messageId, clientMessageId });
      if (!written) throw deleted();
      return { written };
    });
  }

  private async requireForwardable({ userId }: Actor, messageId: number, transaction?: Transaction): Promise<void> {
    const access = await messageAccess(this.options.database, { messageId, userId }, transaction);
    if (!access || access.isCleared) throw noSuchMessage();
    requireCopyable(access);
  }

  /** Returns the id of the chat, if the caller may write to it; the first message to a person creates the dialog. */
  private async open({ userId }: Actor, to: Target): Promise<number> {
    const { database, dialogs } = this.options;
    if ("groupId" in to) {
      if (!(await groupRole(database, { groupId: to.groupId, userId }))) throw notMember();
      return to.groupId;
    }
    const pair = { userId, otherId: to.receiverId };
    const [isReachable] = await reachable(database, [pair]);
    const chatId = isReachable ? (await dialogs.open([pair])).get(pairKey(pair)) : undefined;
    if (typeof chatId !== "number") throw chatId ?? noSuchUser();
    return chatId;
  }
}

function requireCopyable({ isEvent, isDeleted }: MessageAccess): void {
  if (isEvent) throw new AppError("forbidden", "A system message cannot be forwarded");
  if (isDeleted) throw deleted();
}

const deleted = () => new AppError("forbidden", "This message is deleted");

/** Locks the chat that gets the copy, if the user may write to it. */
async function lockTarget(
  tx: ChatTransaction,
  chatId: number,
  { userId, to }: { userId: number; to: Target },
): Promise<LockedChat> {
  const chat = await tx.lock(chatId);
  if ("groupId" in to) {
    if (chat?.kind !== "group" || !chat.members.has(userId)) throw notMember();
    return chat;
  }
  // Deleting an account ends its memberships, in dialogs too.
  if (!chat?.members.has(userId) || !chat.members.has(to.receiverId)) throw noSuchUser();
  if (await blocks(to.receiverId, userId, tx.transaction)) throw noSuchUser();
  return chat;
}

const isIn = ({ chatId, receiver }: ChatMessage, to: Target): boolean =>
  "groupId" in to ? receiver === null && chatId === to.groupId : receiver?.id === to.receiverId;
