import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** What a member may read of a chat: the messages after `clearedSeq`, up to `lastSeq`. */
export interface MemberState {
  chatId: number;
  lastSeq: number;
  clearedSeq: number;
}

/** Returns the state of a member in the chat that matches the condition; undefined for non-members. */
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
      WHERE ${condition} AND c.deleted_at IS NULL`,
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
