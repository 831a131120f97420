import type { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import { lockAccountExclusive, lockAccountShared } from "../db/queries/accounts/account-locks.ts";
import { chatIdsOf, lockChats, membersOf } from "../db/queries/chats/chat-locks.ts";
import { createGroup } from "../db/queries/chats/chat-writes.ts";
import { dialogsOf, findOrCreateDialog, pairKey } from "../db/queries/chats/dialogs.ts";
import { messageByClientId } from "../db/queries/messages/messages.ts";
import { deleteReactionsOf } from "../db/queries/messages/reactions.ts";
import { recipientsOf } from "../delivery/recipients.ts";
import type { Requester } from "../domain/actor.ts";
import type { Change } from "../domain/change.ts";
import type { ChatMessage, SentMessage } from "../domain/message.ts";
import { conflictingClientId } from "../domain-errors.ts";
import type { Committer, WriteHandle } from "./commit.ts";
import { LockedChat, type LockingTransaction } from "./locked-chat.ts";

/**
 * Changes chats in transactions. A transaction holds the row lock of every chat that it changes: the lock gives `seq`
 * and `version` without gaps, and makes their order that of the commits. What a change depends on, such as membership or
 * a message stored earlier, is read after taking the lock, in statements of their own, which see everything committed
 * before.
 */
export class ChatWriter {
  constructor(private readonly options: { database: Database; committer: Committer }) {}

  /**
   * Runs `work` in one transaction and publishes its changes.
   * @param requester the request that asked for the change: its client gets the answer instead of a push, so this settles
   *   when the changes have been delivered. Without one it settles after the commit
   * @param work may be called again, in a new transaction, if the database rolled it back for another one
   * @throws OutcomeUnknownError when the change may have been stored; if it was, it is delivered
   */
  async commit<T>(requester: Requester | undefined, work: (tx: ChatTransaction) => Promise<T>): Promise<T> {
    const { database, committer } = this.options;
    const { result, deliveries } = await committer.commit([], async (handle) => {
      const transaction = await database.transaction();
      const tx = new ChatTransaction(database, transaction, handle, requester);
      let result: T;
      try {
        result = await work(tx);
      } catch (error) {
        // If the connection failed, there is nothing left to roll back.
        await transaction.rollback().catch(() => {});
        throw error;
      }
      await handle.commit(() => transaction.commit());
      return { result, changes: tx.changes() };
    });
    if (requester) await Promise.all(deliveries);
    return result;
  }
}

/** One transaction that changes chats. Accounts are locked before chats, and chats by rising id, as everywhere. */
export class ChatTransaction implements LockingTransaction {
  private readonly recorded: Change[] = [];

  constructor(
    readonly database: Database,
    readonly transaction: Transaction,
    private readonly handle: WriteHandle,
    private readonly requester: Requester | undefined,
  ) {}

  /** Locks an account so that it cannot be deleted before this transaction ends; false if it does not exist any more. */
  lockAccount(userId: number): Promise<boolean> {
    return lockAccountShared(this.database, userId, this.transaction);
  }

  /** Locks an account so that no other transaction can lock or delete it, or create a dialog with it. */
  lockAccountExclusively(userId: number): Promise<void> {
    return lockAccountExclusive(this.database, userId, this.transaction);
  }

  /** Creates a group without members. Nobody else can see it before the commit, so it counts as locked. */
  async createGroup(name: string): Promise<LockedChat> {
    const id = await createGroup(this.database, name, this.transaction);
    this.handle.beginCreated(id);
    return new LockedChat(this, id, "group", new Map());
  }

  /** Returns the dialog of two people, or of one person with themselves; creates it unless it exists. */
  findOrCreateDialog(userId: number, otherId: number): Promise<number> {
    return findOrCreateDialog(this.database, { userId, otherId }, this.transaction);
  }

  /** Locks the dialog of two people, if they have one. */
  async lockDialog(userId: number, otherId: number): Promise<LockedChat | undefined> {
    const pair = { userId, otherId };
    const dialog = (await dialogsOf(this.database, [pair], this.transaction)).get(pairKey(pair));
    return dialog && this.lock(dialog.chatId);
  }

  /** Locks a chat and reads its members. Undefined if there is no such chat, or if it has ended. */
  async lock(chatId: number): Promise<LockedChat | undefined> {
    const [chat] = await this.lockAll([chatId]);
    return chat;
  }

  /** Locks all chats of a person. */
  async lockChatsOf(userId: number): Promise<LockedChat[]> {
    const chats = await this.lockAll(await chatIdsOf(this.database, userId, this.transaction));
    return chats.filter(({ members }) => members.has(userId));
  }

  /**
   * Returns what this person has stored under this client id, so that a repeated request gets the same answer.
   * @param isSame whether the repeated request equals the stored one
   * @throws AppError of kind "conflict" if they differ
   */
  async findRepeated(
    request: { senderId: number; clientMessageId?: string | undefined },
    isSame: (stored: ChatMessage) => boolean,
  ): Promise<SentMessage | undefined> {
    const { senderId, clientMessageId } = request;
    if (clientMessageId === undefined) return undefined;
    const stored = await messageByClientId(this.database, { senderId, clientMessageId }, this.transaction);
    if (!stored) return undefined;
    if (!isSame(stored)) throw conflictingClientId();
    // A sender who has left since may learn that it was stored, but nothing that has changed since.
    return { ...stored, groupName: stored.event?.groupName ?? null, replyTo: null, duplicate: true };
  }

  /** Deletes reactions of a person in a chat that has ended. */
  async deleteReactionsOf(userId: number, messageIds: readonly number[]): Promise<void> {
    await deleteReactionsOf(this.database, { userId, messageIds }, this.transaction);
  }

  record(chat: LockedChat, message: ChatMessage): void {
    const recipientIds = recipientsOf(message, chat.members.keys());
    this.recorded.push({ message, recipientIds, requester: this.requester });
  }

  /** Returns the recorded changes chat by chat, though changes of many chats at once are recorded step by step. */
  changes(): Change[] {
    return [...this.recorded].sort((one, other) => one.message.chatId - other.message.chatId);
  }

  /** Locks those of these chats that exist and have not ended, and reads their members. */
  async lockAll(chatIds: readonly number[]): Promise<LockedChat[]> {
    const chats = await lockChats(this.database, chatIds, this.transaction);
    const locked = chats.map(({ chatId }) => chatId);
    await this.handle.begin(locked, this.transaction);
    const members = await membersOf(this.database, locked, this.transaction);
    return chats.map(({ chatId, kind }) => new LockedChat(this, chatId, kind, members.get(chatId) ?? new Map()));
  }
}
