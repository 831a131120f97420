import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** A session that has not ended. */
export interface ActiveSession {
  userId: number;
  /** Whether the user has not confirmed the e-mail address. */
  isUnverified: boolean;
  /** Whether its `last_used_at` is older than the given precision. */
  isStale: boolean;
}

/**
 * Returns the active ones of these sessions with their users. Writes nothing, so that it works on a read-only database.
 * Index: the primary key of sessions.
 */
export async function activeSessions(
  database: Database,
  sessionIds: readonly number[],
  precisionSeconds: number,
): Promise<Map<number, ActiveSession>> {
  const rows = await select<ActiveSession & { id: number }>(
    database,
    `SELECT s.id, s.user_id AS "userId", u.email_verified_at IS NULL AS "isUnverified",
            s.last_used_at < clock_timestamp() - make_interval(secs => $precisionSeconds) AS "isStale"
       FROM sessions AS s
       JOIN users AS u ON u.id = s.user_id
      WHERE s.id = ANY ($sessionIds::bigint[]) AND s.revoked_at IS NULL AND u.deleted_at IS NULL`,
    { sessionIds, precisionSeconds },
  );
  return new Map(rows.map(({ id, ...session }) => [id, session]));
}

/** Sets `last_used_at` of these sessions to now, except of those that are locked: they are being used anyway. */
export async function recordSessionUse(database: Database, sessionIds: readonly number[]): Promise<void> {
  await select(
    database,
    `WITH used AS (
            SELECT id FROM sessions
             WHERE id = ANY ($sessionIds::bigint[]) AND revoked_at IS NULL
             ORDER BY id
               FOR NO KEY UPDATE SKIP LOCKED
          )
     UPDATE sessions SET last_used_at = clock_timestamp() FROM used WHERE sessions.id = used.id`,
    { sessionIds },
  );
}
