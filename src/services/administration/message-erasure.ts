import type { Database } from "../../db/connect.ts";
import { endErasure, messagesToErase, someErasure } from "../../db/queries/administration/message-erasures.ts";
import type { ChatWriter } from "../../writes/chat-transaction.ts";

/** Messages that are looked for, and at most deleted in one transaction. */
const chunkSize = 100;

/**
 * Deletes all messages of accounts for which that was requested, in chunks, as changes of their chats, so that every device
 * forgets them. What is left to do is in the database: a process that ends in between loses nothing, and several processes
 * at the same time do no harm.
 */
export class MessageErasure {
  constructor(private readonly options: { database: Database; chatWriter: ChatWriter }) {}

  /** Deletes one chunk. @returns whether there may be more to do */
  async eraseSome(): Promise<boolean> {
    const { database } = this.options;
    const userId = await someErasure(database);
    if (userId === undefined) return false;
    const messages = await messagesToErase(database, { userId, limit: chunkSize });
    const chats = new Map<number, number[]>();
    for (const { id, chatId } of messages) chats.set(chatId, [...(chats.get(chatId) ?? []), id]);
    for (const [chatId, messageIds] of chats) await this.eraseIn(chatId, messageIds);
    if (messages.length < chunkSize) await endErasure(database, userId);
    return true;
  }

  private eraseIn(chatId: number, messageIds: readonly number[]): Promise<void> {
    return this.options.chatWriter.commit(undefined, async (tx) => {
      const chat = await tx.lock(chatId);
      await chat?.eraseMessages(messageIds);
    });
  }
}
