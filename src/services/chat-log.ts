import type { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import { isPassing, violatedConstraint, wasRolledBack } from "../db/failures.ts";
import { insertMessages, lockChats, membersOf } from "../db/queries/chat-writes.ts";
import { type ChatMessage, messagesByClientIds, messagesById } from "../db/queries/messages.ts";
import { select } from "../db/select.ts";
import { type Delivery, type Origin, recipientsOf } from "../delivery/delivery.ts";
import { AppError } from "../errors.ts";
import { conflictingClientId } from "./refusals.ts";
import type { Logger } from "../logger.ts";
import type { Role } from "../models/chat-member.ts";
import { Chat, ChatMember, User } from "../models/index.ts";
import type { StoredEvent } from "../models/message.ts";

/** A message before it has its place in the chat. */
export interface Draft {
  senderId: number;
  content?: string;
  event?: StoredEvent;
  clientMessageId?: string | undefined;
  replyTo?: number | undefined;
}

/** A message that was asked for: just written, or found as the one written before under its client id. */
export type SentMessage = ChatMessage & { duplicate?: true };

/** Two sends of one `clientMessageId` that met: the one that came second finds the first stored when it tries again. */
const clientIdConstraint = "messages_client_id_unique";
const mostAttempts = 4;

/**
 * The write path. Every durable change of a chat happens in one transaction that holds the chat's row lock: the lock
 * is what gives `seq` and `version` without a gap, and makes their order that of the commits. What a change depends on
 * (who is a member, what is stored already) is read after the lock, in statements of their own, which see everything
 * committed before. After the commit, and only then, delivery hears of it.
 */
export class ChatLog {
  constructor(private readonly options: { database: Database; delivery: Delivery; log: Logger }) {}

  /**
   * Runs `work` in one transaction and announces what it wrote.
   * @param origin who asked, so that delivery can tell the asker from everyone else
   * @throws AppError of kind "unavailable" when the outcome is unknown; then the message may be stored after all, and
   *   if it is, it is delivered
   */
  async change<T>(origin: Origin | undefined, work: (changes: Changes) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(origin, work);
      } catch (error) {
        const isWorthAnother = violatedConstraint(error) === clientIdConstraint || wasRolledBack(error);
        if (attempt === mostAttempts || !isWorthAnother) throw error;
      }
    }
  }

  private async attempt<T>(origin: Origin | undefined, work: (changes: Changes) => Promise<T>): Promise<T> {
    const { database, delivery } = this.options;
    const transaction = await database.transaction();
    const changes = new Changes(database, transaction, delivery, origin);
    let result: T;
    try {
      result = await work(changes);
    } catch (error) {
      changes.retract();
      // The connection may be what failed; then there is nothing left to roll back.
      await transaction.rollback().catch(() => {});
      throw error;
    }
    try {
      await transaction.commit();
    } catch (error) {
      changes.recheck();
      throw isPassing(error)
        ? error
        : new AppError("unavailable", "The outcome is unknown. Try again.", { cause: error });
    }
    // It is committed: whatever fails from here on must not look like a failed write.
    await changes.announce().catch((error) => {
      this.options.log.error({ err: error }, "a committed change was not given out; reading it again");
      changes.recheck();
    });
    return result;
  }
}

/** A draft for a chat, and who asked for it. */
export interface Entry {
  chat: LockedChat;
  draft: Draft;
  origin: Origin | undefined;
}

/** The changes of one transaction. */
export class Changes {
  private readonly written: { message: ChatMessage; recipientIds: number[] }[] = [];

  constructor(
    private readonly database: Database,
    readonly transaction: Transaction,
    private readonly delivery: Delivery,
    private readonly origin: Origin | undefined,
  ) {}

  /**
   * Holds an account so that it cannot be deleted before this transaction ends; false when it is gone already.
   * Accounts are held before chats are locked, as everywhere.
   */
  async holdAccount(userId: number): Promise<boolean> {
    const account = await User.findOne({
      attributes: ["id"],
      where: { id: userId, deletedAt: null },
      lock: this.transaction.LOCK.KEY_SHARE,
      transaction: this.transaction,
      raw: true,
    });
    return account !== null;
  }

  /** Holds an account alone: nobody else may hold it, delete it or open a dialog with it meanwhile. */
  async holdAccountAlone(userId: number): Promise<void> {
    await User.findByPk(userId, {
      attributes: ["id"],
      lock: this.transaction.LOCK.UPDATE,
      transaction: this.transaction,
      raw: true,
    });
  }

  /**
   * What this person has stored under this client id, so that a repeated send is answered with it.
   * @throws AppError of kind "conflict" when it was something else
   */
  async sentBefore(
    sender: { senderId: number; clientMessageId?: string | undefined },
    isSame: (stored: ChatMessage) => boolean,
  ): Promise<SentMessage | undefined> {
    const { senderId, clientMessageId } = sender;
    if (clientMessageId === undefined) return undefined;
    const [stored] = await messagesByClientIds(this.database, [{ senderId, clientMessageId }], this.transaction);
    if (!stored) return undefined;
    if (!isSame(stored)) throw conflictingClientId();
    // Whoever has left since learns that it was stored, and nothing that has changed since.
    return { ...stored, groupName: stored.event?.groupName ?? null, replyTo: null, duplicate: true };
  }

  /** Makes a new chat; nobody else can see it before the commit, so it counts as locked. */
  async create(values: { kind: "group"; name: string }): Promise<LockedChat> {
    const { id } = await Chat.create(values, { transaction: this.transaction });
    return new LockedChat(this, id, "group", new Map());
  }

  /** Takes the row lock of the dialog of two people, if they have one. */
  async lockDialog(userId: number, otherId: number): Promise<LockedChat | undefined> {
    const dialog = await Chat.findOne({
      attributes: ["id"],
      where: { pairLow: Math.min(userId, otherId), pairHigh: Math.max(userId, otherId) },
      transaction: this.transaction,
      raw: true,
    });
    return dialog ? this.lock(dialog.id) : undefined;
  }

  /** The dialog of two people (or of one), made unless it is there. */
  async openDialog(userId: number, otherId: number): Promise<number> {
    const pair = { low: Math.min(userId, otherId), high: Math.max(userId, otherId) };
    // The statement that lost against another one waits for it, and then sees nothing of it: hence the second look.
    const insert = `WITH dialog AS (
                           INSERT INTO chats (kind, pair_low, pair_high) VALUES ('dialog', $low, $high)
                      ON CONFLICT (pair_low, pair_high) DO NOTHING
                        RETURNING id
                         ), member AS (
                           INSERT INTO chat_members (user_id, chat_id)
                           SELECT DISTINCT unnest(ARRAY[$low, $high]::bigint[]), id FROM dialog
                         )
                    SELECT id FROM dialog`;
    const find = "SELECT id FROM chats WHERE pair_low = $low AND pair_high = $high";
    for (const sql of [insert, find]) {
      const [row] = await select<{ id: number }>(this.database, sql, pair, this.transaction);
      if (row) return row.id;
    }
    throw new Error("a dialog that could not be made cannot be found");
  }

  /** Takes the chat's row lock and reads who is in it. Undefined where there is no such chat, or no longer. */
  async lock(chatId: number): Promise<LockedChat | undefined> {
    return (await this.lockSome([chatId], { wait: true })).get(chatId);
  }

  /**
   * Takes the locks of several chats, by rising id as everywhere.
   * @param options.wait whether to wait for those that somebody else holds, or to leave them out
   */
  async lockSome(chatIds: readonly number[], options: { wait: boolean }): Promise<Map<number, LockedChat>> {
    const chats = await lockChats(this.database, chatIds, { ...options, transaction: this.transaction });
    const members = await membersOf(
      this.database,
      chats.map(({ id }) => id),
      this.transaction,
    );
    return new Map(chats.map(({ id, kind }) => [id, new LockedChat(this, id, kind, members.get(id) ?? new Map())]));
  }

  /** Takes the locks of all chats of a person, by rising id as everywhere. */
  async lockAllOf(userId: number): Promise<LockedChat[]> {
    const memberships = await ChatMember.findAll({
      attributes: ["chatId"],
      where: { userId },
      order: ["chatId"],
      transaction: this.transaction,
      raw: true,
    });
    const chats = await this.lockSome(
      memberships.map(({ chatId }) => chatId),
      { wait: true },
    );
    return [...chats.values()].filter(({ members }) => members.has(userId));
  }

  /** Gives the draft the next `seq` and `version` of its chat, and stores it. The sender has read it. */
  async append(chat: LockedChat, draft: Draft): Promise<ChatMessage> {
    const [message] = await this.appendAll([{ chat, draft, origin: this.origin }]);
    if (!message) throw new Error(`nothing was written to chat ${chat.id}`);
    return message;
  }

  /** The same for several drafts in their order, of one chat or of several, in one statement. */
  async appendAll(entries: readonly Entry[]): Promise<ChatMessage[]> {
    if (entries.length === 0) return [];
    const rows = await insertMessages(
      this.database,
      entries.map(({ chat, draft }) => ({ chatId: chat.id, ...draft })),
      this.transaction,
    );
    for (const [index, { chat, origin }] of entries.entries())
      this.delivery.expect(chat.id, rows[index]?.version ?? 0, origin);
    const messages = await messagesById(
      this.database,
      rows.map(({ id }) => id),
      this.transaction,
    );
    for (const [index, { chat }] of entries.entries()) this.note(chat, messages[index]);
    return messages;
  }

  /** Gives a message of the chat other content, or none; that takes the chat's next `version`. */
  async revise(chat: LockedChat, messageId: number, revision: { content: string } | "deletion"): Promise<ChatMessage> {
    const deleted = revision === "deletion";
    const [row] = await select<{ id: number; version: number }>(
      this.database,
      `WITH chat AS (UPDATE chats SET version = version + 1 WHERE id = $chatId RETURNING id, version)
       UPDATE messages
          SET version = chat.version, content = $content,
              ${deleted ? "deleted_at" : "edited_at"} = date_trunc('milliseconds', clock_timestamp())
         FROM chat
        WHERE messages.id = $messageId AND messages.chat_id = chat.id
    RETURNING messages.id, messages.version`,
      { chatId: chat.id, messageId, content: deleted ? "" : revision.content },
      this.transaction,
    );
    if (!row) throw new Error(`message ${messageId} is not one of chat ${chat.id}`);
    this.delivery.expect(chat.id, row.version, this.origin);
    const [message] = await messagesById(this.database, [row.id], this.transaction);
    return this.note(chat, message);
  }

  /** A message of the chat as it is now; undefined for one that is none of this chat's. */
  async messageOf(chat: LockedChat, messageId: number): Promise<ChatMessage | undefined> {
    const [message] = await messagesById(this.database, [messageId], this.transaction);
    return message?.chatId === chat.id ? message : undefined;
  }

  /** Notes what was written, to be announced after the commit. */
  private note(chat: LockedChat, message: ChatMessage | undefined): ChatMessage {
    if (!message) throw new Error(`a message of chat ${chat.id} is gone in the transaction that wrote it`);
    this.written.push({ message, recipientIds: recipientsOf(message, chat.members.keys()) });
    return message;
  }

  async announce(): Promise<void> {
    for (const change of this.written) await this.delivery.announce(change);
  }

  retract(): void {
    for (const { message } of this.written) this.delivery.retract(message.chatId, message.version);
  }

  recheck(): void {
    for (const change of this.written) this.delivery.recheck(change);
  }
}

/** A chat whose row lock this transaction holds: who is in it cannot change under our hands. */
export class LockedChat {
  constructor(
    private readonly changes: Changes,
    readonly id: number,
    readonly kind: Chat["kind"],
    /** Everyone in the chat with their role, the longest there first. */
    readonly members: Map<number, Role>,
  ) {}

  append(draft: Draft): Promise<ChatMessage> {
    return this.changes.append(this, draft);
  }

  revise(messageId: number, revision: { content: string } | "deletion"): Promise<ChatMessage> {
    return this.changes.revise(this, messageId, revision);
  }

  message(messageId: number): Promise<ChatMessage | undefined> {
    return this.changes.messageOf(this, messageId);
  }

  /** Makes someone a member who has read everything up to `readSeq`. */
  async addMember(userId: number, options: { role: Role; readSeq: number }): Promise<void> {
    const { role, readSeq } = options;
    await ChatMember.create({ chatId: this.id, userId, role, readSeq }, { transaction: this.changes.transaction });
    this.members.set(userId, role);
  }

  async removeMember(userId: number): Promise<void> {
    await ChatMember.destroy({ where: { chatId: this.id, userId }, transaction: this.changes.transaction });
    this.members.delete(userId);
  }

  async setRole(userId: number, role: Role): Promise<void> {
    await ChatMember.update({ role }, { where: { chatId: this.id, userId }, transaction: this.changes.transaction });
    this.members.set(userId, role);
  }

  async rename(name: string): Promise<void> {
    await Chat.update({ name }, { where: { id: this.id }, transaction: this.changes.transaction });
  }

  /** Ends the chat: from now on it is as if it had never been. Its messages are removed later, see `history-purge`. */
  async end(): Promise<void> {
    const { transaction } = this.changes;
    await Chat.update({ deletedAt: new Date() }, { where: { id: this.id }, transaction });
    await ChatMember.destroy({ where: { chatId: this.id }, transaction });
    this.members.clear();
  }
}
