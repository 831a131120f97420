import type { Transaction } from "sequelize";
import type { ChatMessage, MentionedPeople } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { messageColumns, messagePeople, toChatMessage } from "./messages.ts";

/** Unread mentions of a chat are counted up to this number. */
const maxCounted = 99;

/**
 * SQL for the number of unread mentions of a user in a chat. The arguments are SQL expressions. Own messages never mention
 * their sender. Indexes: the primary key of message_mentions, messages_mentions_all.
 */
export const unreadMentions = ({
  userId,
  chatId,
  readSeq,
}: Record<"userId" | "chatId" | "readSeq", string>): string => `
       (SELECT count(*)
          FROM ((SELECT seq FROM message_mentions
                  WHERE user_id = ${userId} AND chat_id = ${chatId} AND seq > ${readSeq}
                  ORDER BY seq
                  LIMIT ${maxCounted})
                 UNION
                (SELECT seq FROM messages
                  WHERE mentions_all AND chat_id = ${chatId} AND seq > ${readSeq} AND sender_id <> ${userId}
                  ORDER BY seq
                  LIMIT ${maxCounted})
                 LIMIT ${maxCounted}) AS unread_mentions)`;

/**
 * Adds mentions to a message that has none and whose chat is locked. Drops those of people who are not members. See the
 * function `add_mentions`.
 */
export async function addMentions(
  database: Database,
  { messageId, mentions, mentionsAll }: MentionedPeople & { messageId: number },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    "SELECT add_mentions(ARRAY[$messageId::bigint], ARRAY[$mentions::jsonb], ARRAY[$mentionsAll::boolean])",
    { messageId, mentions: JSON.stringify(mentions), mentionsAll },
    transaction,
  );
}

/**
 * Returns the messages of others that mention a user, or everybody, in the chats of the user, the newest first, as the user
 * reads them.
 * @param page.before only messages with smaller ids
 * Indexes: message_mentions_newest; for each chat, messages_mentions_all.
 */
export async function mentioningMessages(
  database: Database,
  page: { userId: number; before: number; limit: number },
): Promise<ChatMessage[]> {
  const rows = await select<Parameters<typeof toChatMessage>[0]>(
    database,
    `WITH found AS (
            (SELECT mention.message_id AS id
               FROM message_mentions AS mention
               JOIN chat_members AS member ON member.user_id = $userId AND member.chat_id = mention.chat_id
              WHERE mention.user_id = $userId AND mention.message_id < $before AND mention.seq > member.cleared_seq
              ORDER BY mention.message_id DESC
              LIMIT $limit)
             UNION
            (SELECT of_chat.id
               FROM chat_members AS member
         CROSS JOIN LATERAL (SELECT id FROM messages
                              WHERE mentions_all AND chat_id = member.chat_id AND id < $before AND sender_id <> $userId
                              ORDER BY seq DESC
                              LIMIT $limit) AS of_chat
              WHERE member.user_id = $userId
              ORDER BY of_chat.id DESC
              LIMIT $limit)
              ORDER BY id DESC
              LIMIT $limit)
     SELECT ${messageColumns("$userId")}
       FROM found
       JOIN messages AS m ON m.id = found.id
       JOIN chats AS c ON c.id = m.chat_id ${messagePeople}
      ORDER BY m.id DESC`,
    page,
  );
  return rows.map(toChatMessage);
}
