import { Transaction } from "sequelize";
import type { ChatMessage } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { messageColumns, messagePeople, toChatMessage } from "../messages/messages.ts";

/** Comings and goings of one chat that may follow a page of its changes; there are never so many. */
const mostNotices = 100_000;

/**
 * What changed in a chat after a version, in the order of the changes; who is in the chat; and when there is more than
 * `limit`, the notices about the group among the rest, which tell who came and went since. In one snapshot.
 * Indexes: messages_version_unique, chat_members_of_chat.
 */
export function changesAfter(
  database: Database,
  { chatId, after, limit }: { chatId: number; after: number; limit: number },
): Promise<{ messages: ChatMessage[]; memberIds: number[]; later: ChatMessage[] }> {
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
    const later = last ? await read({ after: last.version, limit: mostNotices }, "m.event IS NOT NULL") : [];
    const members = await select<{ userId: number }>(
      database,
      `SELECT user_id AS "userId" FROM chat_members WHERE chat_id = $chatId ORDER BY user_id`,
      { chatId },
      transaction,
    );
    return { messages, memberIds: members.map(({ userId }) => userId), later };
  });
}

/** Waits until whoever holds the chat's row lock has committed or given up. */
export async function settledChat(database: Database, chatId: number): Promise<void> {
  await select(database, "SELECT 1 FROM chats WHERE id = $chatId FOR SHARE", { chatId });
}
