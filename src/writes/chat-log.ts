import type { Transaction } from "sequelize";
import type { Database } from "../db/connect.ts";
import { isRetryableRollback, isTransient, violatedConstraint } from "../db/database-errors.ts";
import { insertSystemMessages, lockChats, membersOf, setRoles } from "../db/queries/chats/chat-writes.ts";
import { messagesByClientIds, messagesById } from "../db/queries/messages/messages.ts";
import { select } from "../db/select.ts";
import type { Delivery, EndWrite } from "../delivery/delivery.ts";
import { recipientsOf } from "../delivery/recipients.ts";
import type { Requester } from "../domain/actor.ts";
import type { Change } from "../domain/change.ts";
import type { Role } from "../domain/chat.ts";
import type { StoredEvent } from "../domain/event.ts";
import type { ChatMessage, SentMessage } from "../domain/message.ts";
import { conflictingClientId } from "../domain-errors.ts";
import { AppError } from "../errors.ts";
import { Chat, ChatMember, User } from "../models/index.ts";

/** What happened in a group, before it has its place in the chat. */
export interface SystemMessage {
  senderId: number;
  event: StoredEvent;
  clientMessageId?: string | undefined;
}

/** Two sends of one `clientMessageId` that met: the one that came second finds the first stored when it tries again. */
const clientIdConstraint = "messages_client_id_unique";
const mostAttempts = 4;

/**
 * The write path. Every durable change of a chat happens in one transaction that holds the chat's row lock: the lock
 * is what gives `seq` and `version` without a gap, and makes their order that of the commits. What a change depends on
 * (who is a member, what is stored already) is read after the lock, in statements of their own, which see everything
 * committed before. After the commit, and only then, delivery hears of it.
 */
export class ChatWriter {
  constructor(private readonly options: { database: Database; delivery: Delivery }) {}

  /**
   * Runs `work` in one transaction and announces what it wrote.
   * @param requester who asked, so that delivery can tell the asker from everyone else
   * @throws AppError of kind "unavailable" when the outcome is unknown; then the message may be stored after all, and
   *   if it is, it is delivered
   */
  async change<T>(requester: Requester | undefined, work: (changes: Changes) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(requester, work);
      } catch (error) {
        const isWorthAnother = violatedConstraint(error) === clientIdConstraint || isRetryableRollback(error);
        if (attempt === mostAttempts || !isWorthAnother) throw error;
      }
    }
  }

  private async attempt<T>(requester: Requester | undefined, work: (changes: Changes) => Promise<T>): Promise<T> {
    const { database, delivery } = this.options;
    const transaction = await database.transaction();
    const changes = new Changes(database, transaction, delivery, requester);
    let result: T;
    try {
      result = await work(changes);
    } catch (error) {
      // The connection may be what failed; then there is nothing left to roll back.
      await transaction.rollback().catch(() => {});
      changes.end({ inDoubt: false });
      throw error;
    }
    try {
      await transaction.commit();
    } catch (error) {
      changes.end({ inDoubt: true });
      throw isTransient(error)
        ? error
        : new AppError("unavailable", "The outcome is unknown. Try again.", { cause: error });
    }
    await changes.announce();
    return result;
  }
}

/** The changes of one transaction. */
export class Changes {
  private readonly written: Change[] = [];
  private readonly ends: EndWrite[] = [];

  constructor(
    private readonly database: Database,
    readonly transaction: Transaction,
    private readonly delivery: Delivery,
    private readonly requester: Requester | undefined,
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
    this.begin(id, 0);
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
    return (await this.lockSome([chatId])).get(chatId);
  }

  /** Takes the locks of several chats, by rising id as everywhere. */
  async lockSome(chatIds: readonly number[]): Promise<Map<number, LockedChat>> {
    const chats = await lockChats(this.database, chatIds, this.transaction);
    for (const { id, version } of chats) this.begin(id, version);
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
    const chats = await this.lockSome(memberships.map(({ chatId }) => chatId));
    return [...chats.values()].filter(({ members }) => members.has(userId));
  }

  /**
   * Gives each notice the next `seq` and `version` of its chat, at most one to each chat, and stores them. Whoever a notice
   * is by has read it.
   */
  async append(notices: readonly (SystemMessage & { chat: LockedChat })[]): Promise<ChatMessage[]> {
    if (notices.length === 0) return [];
    const toWrite = notices.map(({ chat, ...notice }) => ({ chatId: chat.id, ...notice }));
    const ids = await insertSystemMessages(this.database, toWrite, this.transaction);
    const written = await messagesById(this.database, ids, this.transaction);
    const ofChat = new Map(written.map((message) => [message.chatId, message]));
    return notices.map(({ chat }) => this.note(chat, ofChat.get(chat.id)));
  }

  /** Ends a person's memberships. */
  async removeMember(chats: readonly LockedChat[], userId: number): Promise<void> {
    const chatId = chats.map(({ id }) => id);
    await ChatMember.destroy({ where: { chatId, userId }, transaction: this.transaction });
    for (const { members } of chats) members.delete(userId);
  }

  /** Gives a member of each of these chats another role. */
  async setRoles(members: readonly { chat: LockedChat; userId: number; role: Role }[]): Promise<void> {
    if (members.length === 0) return;
    const given = members.map(({ chat, ...member }) => ({ chatId: chat.id, ...member }));
    await setRoles(this.database, given, this.transaction);
    for (const { chat, userId, role } of members) chat.members.set(userId, role);
  }

  /** Ends chats: from now on it is as if they had never been. Their messages are removed later, see `history-purge`. */
  async endChats(chats: readonly LockedChat[]): Promise<void> {
    const { transaction } = this;
    if (chats.length === 0) return;
    const ids = chats.map(({ id }) => id);
    await Chat.update({ deletedAt: new Date() }, { where: { id: ids }, transaction });
    await ChatMember.destroy({ where: { chatId: ids }, transaction });
    for (const { members } of chats) members.clear();
  }

  /** Gives a message of the chat other content, or none; that takes the chat's next `version`. */
  async revise(chat: LockedChat, messageId: number, revision: { content: string } | "deletion"): Promise<ChatMessage> {
    const deleted = revision === "deletion";
    const [row] = await select<{ id: number }>(
      this.database,
      `WITH chat AS (UPDATE chats SET version = version + 1 WHERE id = $chatId RETURNING id, version)
       UPDATE messages
          SET version = chat.version, content = $content,
              ${deleted ? "deleted_at" : "edited_at"} = date_trunc('milliseconds', clock_timestamp())
         FROM chat
        WHERE messages.id = $messageId AND messages.chat_id = chat.id
    RETURNING messages.id`,
      { chatId: chat.id, messageId, content: deleted ? "" : revision.content },
      this.transaction,
    );
    if (!row) throw new Error(`message ${messageId} is not one of chat ${chat.id}`);
    const [message] = await messagesById(this.database, [row.id], this.transaction);
    return this.note(chat, message);
  }

  /** A message of the chat as it is now; undefined for one that is none of this chat's. */
  async messageOf(chat: LockedChat, messageId: number): Promise<ChatMessage | undefined> {
    const [message] = await messagesById(this.database, [messageId], this.transaction);
    return message?.chatId === chat.id ? message : undefined;
  }

  /** Gives out what was written, once it is committed. Settles when delivery has reached all of it. */
  async announce(): Promise<void> {
    // Chat by chat, though what is done to many at once is written step by step.
    const byChat = [...this.written].sort((one, other) => one.message.chatId - other.message.chatId);
    const given = byChat.map((change) => this.delivery.publish(change));
    this.end({ inDoubt: false });
    await Promise.all(given);
  }

  /** Nothing more comes of this transaction; in doubt, something may have come of it all the same. */
  end(outcome: { inDoubt: boolean }): void {
    for (const end of this.ends) end(outcome);
  }

  /** From now on delivery keeps what others add to this chat after us behind what we add. */
  private begin(chatId: number, version: number): void {
    this.delivery.track(chatId, version);
    this.ends.push(this.delivery.beginWrite([chatId]));
  }

  /** Notes what was written, to be announced after the commit. */
  private note(chat: LockedChat, message: ChatMessage | undefined): ChatMessage {
    if (!message) throw new Error(`a message of chat ${chat.id} is gone in the transaction that wrote it`);
    this.written.push({ message, recipientIds: recipientsOf(message, chat.members.keys()), requester: this.requester });
    return message;
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

  async append(notice: SystemMessage): Promise<ChatMessage> {
    const [message] = await this.changes.append([{ chat: this, ...notice }]);
    if (!message) throw new Error(`a notice of chat ${this.id} was not written`);
    return message;
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

  removeMember(userId: number): Promise<void> {
    return this.changes.removeMember([this], userId);
  }

  setRole(userId: number, role: Role): Promise<void> {
    return this.changes.setRoles([{ chat: this, userId, role }]);
  }

  async rename(name: string): Promise<void> {
    await Chat.update({ name }, { where: { id: this.id }, transaction: this.changes.transaction });
  }

  end(): Promise<void> {
    return this.changes.endChats([this]);
  }
}
