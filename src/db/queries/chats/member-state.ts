import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** What a person may read of a chat: everything after `clearedSeq`. */
export interface MemberState {
  chatId: number;
  lastSeq: number;
  clearedSeq: number;
}

/** A chat that fits the condition as its member sees it; undefined for everyone else. */
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

/** The chat, of whatever kind; undefined for strangers, for those who left and where there is no such chat. */
export const memberState = (database: Database, who: { chatId: number; userId: number }) =>
  memberStateWhere(database, "c.id = $chatId", who);

/** The same for a group only. */
export const groupMemberState = (database: Database, { groupId, userId }: { groupId: number; userId: number }) =>
  memberStateWhere(database, "c.id = $chatId AND c.kind = 'group'", { chatId: groupId, userId });

/** The dialog of two people as the first sees it; undefined before it is opened. Index: chats_pair_unique. */
export const dialogMemberState = (database: Database, who: { userId: number; otherId: number }) =>
  memberStateWhere(
    database,
    "c.pair_low = LEAST($userId::bigint, $otherId::bigint) AND c.pair_high = GREATEST($userId::bigint, $otherId::bigint)",
    who,
  );
