import { Transaction } from "sequelize";
import type { ChatMessage } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { messageColumns, messagePeople, toChatMessage } from "../messages/messages.ts";

/** System messages of one chat that may follow a page of its changes; there are never so many. */
const maxEvents = 100_000;

/**
 * The changes of a chat after a version, in their order; the members of the chat; and if there are more than `limit`
 * changes, the system messages among the rest, which say who joined and left since. In one snapshot.
 * Indexes: messages_version_unique, chat_members_of_chat.
 */
export function changesAfter(
  database: Database,
  { chatId, after, limit }: { chatId: number; after: number; limit: number },
): Promise<{ messages: ChatMessage[]; laterEvents: ChatMessage[]; memberIds: number[] }> {
  const isolationLevel = Transaction.ISOLATION_LEVELS.REPEATABLE_READ;
  return database.transaction({ isolationLevel }, async (transaction) => {
    const read = async (range: { after: number; limit: number }, condition: string) => {
      const rows = await select<Parameters<typeof toChatMessage>[0]>(
        database,
        `SELECT ${messageColumns}
           FROM messages AS m
           JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
          WHERE m.chat_id = $chatId AND m.version > $after AND ${condition}
          ORDER BY m.version
          LIMIT $limit`,
        { chatId, ...range },
        transaction,
      );
      return rows.map(toChatMessage);
    };
    const messages = await read({ after, limit }, "TRUE");
    const last = messages[limit - 1];
    const laterEvents = last ? await read({ after: last.version, limit: maxEvents }, "m.event IS NOT NULL") : [];
    const members = await select<{ userId: number }>(
      database,
      `SELECT user_id AS "userId" FROM chat_members WHERE chat_id = $chatId ORDER BY user_id`,
      { chatId },
      transaction,
    );
    return { messages, laterEvents, memberIds: members.map(({ userId }) => userId) };
  });
}

/** Settles when no transaction holds the chat's row lock any more. */
export async function waitForWriters(database: Database, chatId: number): Promise<void> {
  await select(database, "SELECT 1 FROM chats WHERE id = $chatId FOR SHARE", { chatId });
}
