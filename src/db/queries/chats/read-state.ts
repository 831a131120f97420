import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { eitherBlocks } from "../people/blocked-people.ts";

/** SQL for the other person in a dialog who may know the read position; null with oneself or while one blocks the other. */
const peerOf = (userId: string): string =>
  `CASE WHEN c.kind = 'dialog' AND NOT ${eitherBlocks("c.pair_low", "c.pair_high")}
                THEN NULLIF(c.pair_low + c.pair_high - ${userId}, ${userId}) END`;

/** How far a member has read a chat. */
export interface ReadPosition {
  readSeq: number;
  /** Whether this call moved it. */
  moved: boolean;
  /** The other person to notify, in a dialog. */
  peerId: number | null;
}

/**
 * Moves a read position forward, never back and never past the newest message. Undefined for non-members, and in an empty
 * dialog.
 */
export async function advanceReadPosition(
  database: Database,
  position: { chatId: number; userId: number; seq: number },
): Promise<ReadPosition | undefined> {
  const rows = await select<ReadPosition>(
    database,
    `WITH before AS (
            SELECT member.read_seq, LEAST($seq, c.last_seq) AS target,
                   ${peerOf("member.user_id")} AS peer_id
              FROM chats AS c
              JOIN chat_members AS member ON member.chat_id = c.id
             WHERE c.id = $chatId AND member.user_id = $userId AND c.deleted_at IS NULL AND c.version > 0
          )
     UPDATE chat_members AS member
        SET read_seq = GREATEST(member.read_seq, before.target)
       FROM before
      WHERE member.chat_id = $chatId AND member.user_id = $userId
  RETURNING member.read_seq AS "readSeq", before.target > before.read_seq AS moved,
            before.peer_id AS "peerId"`,
    position,
  );
  return rows[0];
}

/** How far one person has cleared a dialog. */
export interface ClearedPosition {
  chatId: number;
  clearedSeq: number;
  readSeq: number;
  /** Whether this call moved the read position. */
  moved: boolean;
  /** The other person to notify of the read position. */
  peerId: number | null;
}

/** Hides the messages of a dialog up to now from the first of the two. Undefined if they have no dialog, or an empty one. */
export async function clearDialogFor(
  database: Database,
  dialog: { userId: number; otherId: number },
): Promise<ClearedPosition | undefined> {
  const rows = await select<ClearedPosition>(
    database,
    `UPDATE chat_members AS member
        SET cleared_seq = GREATEST(member.cleared_seq, c.last_seq), read_seq = GREATEST(member.read_seq, c.last_seq)
       FROM chats AS c
       JOIN chat_members AS before ON before.chat_id = c.id AND before.user_id = $userId
      WHERE member.chat_id = c.id AND member.user_id = $userId
        AND c.pair_low = LEAST($userId::bigint, $otherId::bigint)
        AND c.pair_high = GREATEST($userId::bigint, $otherId::bigint)
        AND c.version > 0
  RETURNING c.id AS "chatId", member.cleared_seq AS "clearedSeq", member.read_seq AS "readSeq",
            c.last_seq > before.read_seq AS moved, ${peerOf("member.user_id")} AS "peerId"`,
    dialog,
  );
  return rows[0];
}

/**
 * Returns how far each of two people has read their dialog, if they may know it of each other; nothing of an empty dialog.
 * Index: chats_pair_unique.
 */
export function sharedReadPositions(
  database: Database,
  dialog: { userId: number; otherId: number },
): Promise<{ chatId: number; userId: number; readSeq: number; peerId: number }[]> {
  return select(
    database,
    `SELECT * FROM (SELECT c.id AS "chatId", member.user_id AS "userId", member.read_seq AS "readSeq",
                           ${peerOf("member.user_id")} AS "peerId"
                      FROM chats AS c
                      JOIN chat_members AS member ON member.chat_id = c.id
                     WHERE c.pair_low = LEAST($userId::bigint, $otherId::bigint)
                       AND c.pair_high = GREATEST($userId::bigint, $otherId::bigint)
                       AND c.version > 0) AS shared
      WHERE shared."peerId" IS NOT NULL
      ORDER BY shared."userId"`,
    dialog,
  );
}

/** A member of a chat who has read up to a message. */
export interface Reader {
  userId: number;
  firstName: string;
  lastName: string | null;
  readSeq: number;
}

/**
 * Returns the members of the chat of a message who have read up to it, those who have read furthest first; without those
 * who block the user or whom the user blocks. Indexes: messages_pkey, chat_members_of_chat.
 */
export function readersOf(
  database: Database,
  page: { messageId: number; userId: number; limit: number; offset: number },
): Promise<Reader[]> {
  return select<Reader>(
    database,
    `SELECT member.user_id AS "userId", u.first_name AS "firstName", u.last_name AS "lastName",
            member.read_seq AS "readSeq"
       FROM messages AS m
       JOIN chat_members AS member ON member.chat_id = m.chat_id AND member.read_seq >= m.seq
       JOIN users AS u ON u.id = member.user_id
      WHERE m.id = $messageId AND NOT ${eitherBlocks("member.user_id", "$userId")}
      ORDER BY member.read_seq DESC, member.user_id
      LIMIT $limit OFFSET $offset`,
    page,
  );
}
