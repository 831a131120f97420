import type { ChatMessage } from "../../../domain/message.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import type { AvatarRow } from "../avatars/avatars.ts";
import { unreadMentions } from "../messages/mentions.ts";
import { messageColumnsInLists, messagePeople, toChatMessage } from "../messages/messages.ts";

/** A chat in a user's list of chats. */
export interface ListedChat {
  lastMessage: ChatMessage;
  chatVersion: number;
  readSeq: number;
  /** The number of messages after `readSeq`: a difference of two counters, so it cannot drift. */
  unread: number;
  /** Of the group, or of the other person. */
  avatarId?: string;
  /** The number of unread messages that mention the user, at most 99. Counted when read, so it cannot drift. */
  mentions: number;
}

/**
 * Returns the chats of a user, the one with the newest message first. A cleared dialog is hidden until its next message.
 * Indexes: the primary key of chat_members for the chats, those of messages and users for each last message, those of
 * `unreadMentions` for each chat with unread messages; no other messages are read.
 */
export async function chatList(
  database: Database,
  page: { userId: number; limit: number; offset: number },
): Promise<ListedChat[]> {
  const rows = await select<
    Parameters<typeof toChatMessage>[0] &
      AvatarRow<Omit<ListedChat, "lastMessage" | "mentions">> & { unreadMentions: number }
  >(
    database,
    `SELECT ${messageColumnsInLists},
            mine."chatVersion", mine."readSeq", mine."lastSeq" - mine."readSeq" AS unread,
            COALESCE(c.avatar_id, (SELECT avatar_id FROM users WHERE id = c.pair_low + c.pair_high - $userId)) AS "avatarId",
            CASE WHEN mine."lastSeq" > mine."readSeq"
                 THEN ${unreadMentions({ userId: "$userId", chatId: "mine.id", readSeq: 'mine."readSeq"' })}
                 ELSE 0 END AS "unreadMentions"
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
    page,
  );
  return rows.map((row) => ({
    lastMessage: toChatMessage(row),
    chatVersion: row.chatVersion,
    readSeq: row.readSeq,
    unread: row.unread,
    ...(row.avatarId !== null && { avatarId: row.avatarId }),
    mentions: row.unreadMentions,
  }));
}
