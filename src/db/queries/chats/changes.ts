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
        `SELECT ${messageColumns()}
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

/** The changes of a chat after a version, in their order, and the members of the chat. */
interface ChangesAndMembers {
  messages: ChatMessage[];
  memberIds: number[];
}

/**
 * The first changes of several chats, each after a version, at most `limit` of each chat. One statement, so in one
 * snapshot.
 * @returns the changes of each chat, in the order of the chats
 * Indexes: messages_version_unique and chat_members_of_chat, once for each chat.
 */
export async function changesOfChats(
  database: Database,
  chats: readonly { chatId: number; after: number }[],
  limit: number,
): Promise<ChangesAndMembers[]> {
  type Row = Parameters<typeof toChatMessage>[0] & { place: number; memberIds: number[] | null };
  const rows = await select<Row>(
    database,
    `SELECT wanted.place, ${messageColumns()},
            CASE m.number WHEN 1 THEN (SELECT json_agg(member.user_id ORDER BY member.user_id)
                                         FROM chat_members AS member
                                        WHERE member.chat_id = m.chat_id) END AS "memberIds"
       FROM unnest($chatIds::bigint[], $after::bigint[]) WITH ORDINALITY AS wanted (chat_id, after, place)
 CROSS JOIN LATERAL (SELECT messages.*, row_number() OVER (ORDER BY messages.version) AS number
                       FROM messages
                      WHERE messages.chat_id = wanted.chat_id AND messages.version > wanted.after
                      ORDER BY messages.version
                      LIMIT $limit) AS m
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      ORDER BY wanted.place, m.version`,
    { chatIds: chats.map(({ chatId }) => chatId), after: chats.map(({ after }) => after), limit },
  );
  const changes = chats.map((): ChangesAndMembers => ({ messages: [], memberIds: [] }));
  for (const row of rows) {
    const ofChat = changes[row.place - 1];
    ofChat?.messages.push(toChatMessage(row));
    if (ofChat && row.memberIds) ofChat.memberIds = row.memberIds;
  }
  return changes;
}

/** Settles when no transaction holds the chat's row lock any more. */
export async function waitForWriters(database: Database, chatId: number): Promise<void> {
  await select(database, "SELECT 1 FROM chats WHERE id = $chatId FOR SHARE", { chatId });
}
