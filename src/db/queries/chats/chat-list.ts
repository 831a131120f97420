import type { ChatMessage } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { messageColumns, messagePeople, toChatMessage } from "../messages/messages.ts";

/** A chat as a person's list shows it. */
export interface ListedChat {
  lastMessage: ChatMessage;
  chatVersion: number;
  readSeq: number;
  /** Messages after `readSeq`: a difference of two counters, so it cannot drift. */
  unread: number;
}

/**
 * The chats a person is in now, the one with the newest message first. A cleared dialog is hidden until its next
 * message. Indexes: the primary key of chat_members finds the chats, the one of messages each last message; nothing
 * else of the history is touched.
 */
export async function chatList(
  database: Database,
  screen: { userId: number; limit: number; offset: number },
): Promise<ListedChat[]> {
  const rows = await select<Parameters<typeof toChatMessage>[0] & Omit<ListedChat, "lastMessage">>(
    database,
    `SELECT ${messageColumns},
            mine."chatVersion", mine."readSeq", mine."lastSeq" - mine."readSeq" AS unread
       FROM (SELECT c.id, c.last_message_id, c.version AS "chatVersion", c.last_seq AS "lastSeq",
                    member.read_seq AS "readSeq"
               FROM chat_members AS member
               JOIN chats AS c ON c.id = member.chat_id
              WHERE member.user_id = $userId AND c.last_seq > member.cleared_seq
              ORDER BY c.last_message_id DESC
              LIMIT $limit OFFSET $offset) AS mine
       JOIN messages AS m ON m.id = mine.last_message_id
       JOIN chats AS c ON c.id = mine.id ${messagePeople}
      ORDER BY mine.last_message_id DESC`,
    screen,
  );
  return rows.map((row) => ({
    lastMessage: toChatMessage(row),
    chatVersion: row.chatVersion,
    readSeq: row.readSeq,
    unread: row.unread,
  }));
}
