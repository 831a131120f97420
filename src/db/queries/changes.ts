import { Transaction } from "sequelize";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";
import { type ChatMessage, messageColumns, messagePeople, toChatMessage } from "./messages.ts";

/**
 * What changed in a chat after a version, in the order of the changes, and who is in the chat, in one snapshot.
 * Indexes: messages_version_unique, chat_members_of_chat.
 */
export function changesAfter(
  database: Database,
  range: { chatId: number; after: number; limit: number },
): Promise<{ messages: ChatMessage[]; memberIds: number[] }> {
  const isolationLevel = Transaction.ISOLATION_LEVELS.REPEATABLE_READ;
  return database.transaction({ isolationLevel }, async (transaction) => {
    const rows = await select<Parameters<typeof toChatMessage>[0]>(
      database,
      `SELECT ${messageColumns}
         FROM messages AS m
         JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
        WHERE m.chat_id = $chatId AND m.version > $after
        ORDER BY m.version
        LIMIT $limit`,
      range,
      transaction,
    );
    const members = await select<{ userId: number }>(
      database,
      `SELECT user_id AS "userId" FROM chat_members WHERE chat_id = $chatId ORDER BY user_id`,
      { chatId: range.chatId },
      transaction,
    );
    return { messages: rows.map(toChatMessage), memberIds: members.map(({ userId }) => userId) };
  });
}

/** Waits until whoever holds the chat's row lock has committed or given up. */
export async function settledChat(database: Database, chatId: number): Promise<void> {
  await select(database, "SELECT 1 FROM chats WHERE id = $chatId FOR SHARE", { chatId });
}
