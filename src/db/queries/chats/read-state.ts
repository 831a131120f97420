import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { eitherBlocks } from "../people/blocked-people.ts";

/** Who hears of a dialog's marks: the other side, unless that is oneself or one of the two blocks the other. */
const peerOf = (userId: string): string =>
  `CASE WHEN c.kind = 'dialog' AND NOT ${eitherBlocks("c.pair_low", "c.pair_high")}
                THEN NULLIF(c.pair_low + c.pair_high - ${userId}, ${userId}) END`;

/** How far a person has read a chat, after a mark was set. */
export interface ReadPosition {
  readSeq: number;
  /** Whether this call moved it. */
  moved: boolean;
  /** Of a dialog: who else is to hear of it. */
  peerId: number | null;
}

/** Moves a read mark forward, never back and never past the newest message. Undefined for who is not in the chat. */
export async function advanceReadPosition(
  database: Database,
  mark: { chatId: number; userId: number; seq: number },
): Promise<ReadPosition | undefined> {
  const rows = await select<ReadPosition>(
    database,
    `WITH before AS (
            SELECT member.read_seq, LEAST($seq, c.last_seq) AS wanted,
                   ${peerOf("member.user_id")} AS peer_id
              FROM chats AS c
              JOIN chat_members AS member ON member.chat_id = c.id
             WHERE c.id = $chatId AND member.user_id = $userId AND c.deleted_at IS NULL
          )
     UPDATE chat_members AS member
        SET read_seq = GREATEST(member.read_seq, before.wanted)
       FROM before
      WHERE member.chat_id = $chatId AND member.user_id = $userId
  RETURNING member.read_seq AS "readSeq", before.wanted > before.read_seq AS moved,
            before.peer_id AS "peerId"`,
    mark,
  );
  return rows[0];
}

/** How far a dialog is hidden from one of the two, after it was cleared. */
export interface ClearedPosition {
  chatId: number;
  clearedSeq: number;
  readSeq: number;
  /** Whether this call moved the read mark. */
  moved: boolean;
  /** Who else is to hear of the read mark. */
  peerId: number | null;
}

/** Hides everything up to now from one side of a dialog. Undefined where the two have none. */
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
  RETURNING c.id AS "chatId", member.cleared_seq AS "clearedSeq", member.read_seq AS "readSeq",
            c.last_seq > before.read_seq AS moved, ${peerOf("member.user_id")} AS "peerId"`,
    dialog,
  );
  return rows[0];
}

/** How far each of two people has read their dialog, as far as they may know it of each other. Index: chats_pair_unique. */
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
                       AND c.pair_high = GREATEST($userId::bigint, $otherId::bigint)) AS mark
      WHERE mark."peerId" IS NOT NULL
      ORDER BY mark."userId"`,
    dialog,
  );
}
