import type { Transaction } from "sequelize";
import type { Role } from "../../../domain/chat.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { isBlockedBy } from "../people/blocked-people.ts";

/** What a member may read of a chat: the messages after `clearedSeq`, up to `lastSeq`. */
export interface MemberState {
  chatId: number;
  lastSeq: number;
  clearedSeq: number;
}

/**
 * Returns the state of a member in the chat that matches the condition; undefined for non-members, and if the chat has no
 * messages: an empty dialog counts as no chat.
 */
async function memberStateWhere(
  database: Database,
  condition: string,
  bind: { userId: number; chatId?: number; otherId?: number },
): Promise<MemberState | undefined> {
  const rows = await select<MemberState>(
    database,
    `SELECT c.id AS "chatId", c.last_seq AS "lastSeq", member.cleared_seq AS "clearedSeq"
       FROM chats AS c
       JOIN chat_members AS member ON member.chat_id = c.id AND member.user_id = $userId
      WHERE ${condition} AND c.deleted_at IS NULL AND c.version > 0`,
    bind,
  );
  return rows[0];
}

/** Returns the state of a member in a chat of any kind; undefined if there is no such chat, or for non-members. */
export const memberState = (database: Database, member: { chatId: number; userId: number }) =>
  memberStateWhere(database, "c.id = $chatId", member);

/** The same for a group only. */
export const groupMemberState = (database: Database, { groupId, userId }: { groupId: number; userId: number }) =>
  memberStateWhere(database, "c.id = $chatId AND c.kind = 'group'", { chatId: groupId, userId });

/** Returns the state of the first of two people in their dialog; undefined if they have none. Index: chats_pair_unique. */
export const dialogMemberState = (database: Database, pair: { userId: number; otherId: number }) =>
  memberStateWhere(
    database,
    "c.pair_low = LEAST($userId::bigint, $otherId::bigint) AND c.pair_high = GREATEST($userId::bigint, $otherId::bigint)",
    pair,
  );

/**
 * Returns the role of a user in a group; undefined if there is no such group, or for non-members. Takes no locks, so it
 * never waits for those who change the group. Indexes: the primary keys of chats and chat_members.
 */
export async function groupRole(
  database: Database,
  { groupId, userId }: { groupId: number; userId: number },
): Promise<Role | undefined> {
  const [row] = await select<{ role: Role }>(
    database,
    `SELECT member.role
       FROM chat_members AS member
       JOIN chats AS c ON c.id = member.chat_id AND c.kind = 'group' AND c.deleted_at IS NULL
      WHERE member.user_id = $userId AND member.chat_id = $groupId`,
    { groupId, userId },
  );
  return row?.role;
}

/** What decides whether a user may change a message. */
export interface MessageAccess {
  chatId: number;
  isSender: boolean;
  /** Whether it is a system message. */
  isEvent: boolean;
  isDeleted: boolean;
  /** Whether it was forwarded from another message. */
  isForwarded: boolean;
  /** Whether the user has cleared the dialog since. */
  isCleared: boolean;
  /** Whether the chat is a group. */
  isGroup: boolean;
  /** Whether the user may delete messages of others: an admin or the owner of the group. */
  isModerator: boolean;
  /** Whether the user cannot send to the chat: a dialog with a person who blocks the user, or has deleted the account. */
  isClosed: boolean;
}

/**
 * Returns how a user stands to a message of one of the user's chats; undefined for any other message. Takes no locks.
 * Indexes: the primary keys of messages, chat_members, chats and blocks.
 */
export async function messageAccess(
  database: Database,
  { messageId, userId }: { messageId: number; userId: number },
  transaction?: Transaction,
): Promise<MessageAccess | undefined> {
  const [row] = await select<MessageAccess>(
    database,
    `SELECT m.chat_id AS "chatId", m.sender_id = $userId AS "isSender", m.event IS NOT NULL AS "isEvent",
            m.deleted_at IS NOT NULL AS "isDeleted", m.forwarded_from IS NOT NULL AS "isForwarded",
            m.seq <= member.cleared_seq AS "isCleared", c.kind = 'group' AS "isGroup",
            c.kind = 'group' AND member.role <> 'member' AS "isModerator",
            c.kind = 'dialog' AND (peer.user_id IS NULL OR ${isBlockedBy("$userId", "peer.user_id")}) AS "isClosed"
       FROM messages AS m
       JOIN chat_members AS member ON member.chat_id = m.chat_id AND member.user_id = $userId
       JOIN chats AS c ON c.id = m.chat_id AND c.deleted_at IS NULL
  LEFT JOIN chat_members AS peer ON peer.chat_id = c.id AND peer.user_id = c.pair_low + c.pair_high - $userId
      WHERE m.id = $messageId`,
    { messageId, userId },
    transaction,
  );
  return row;
}
