import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/**
 * Returns the active ones of these sessions with their users. Updates `last_used_at` where it is older than the precision.
 * Index: the primary key of sessions.
 */
export async function activeSessions(
  database: Database,
  sessionIds: readonly number[],
  { lastUsedPrecisionMs }: { lastUsedPrecisionMs: number },
): Promise<Map<number, { userId: number }>> {
  const rows = await select<{ id: number; userId: number }>(
    database,
    `WITH active AS (
            SELECT s.id, s.user_id,
                   s.last_used_at < clock_timestamp() - make_interval(secs => $lastUsedPrecisionMs / 1000.0) AS is_stale
              FROM sessions AS s
              JOIN users AS u ON u.id = s.user_id
             WHERE s.id = ANY ($sessionIds::bigint[]) AND s.revoked_at IS NULL AND u.deleted_at IS NULL
          ), stale AS (
            SELECT id FROM sessions
             WHERE id IN (SELECT id FROM active WHERE is_stale)
             ORDER BY id
               FOR NO KEY UPDATE SKIP LOCKED
          ), used AS (
            UPDATE sessions SET last_used_at = clock_timestamp() FROM stale WHERE sessions.id = stale.id
          )
     SELECT id, user_id AS "userId" FROM active`,
    { sessionIds, lastUsedPrecisionMs },
  );
  return new Map(rows.map(({ id, userId }) => [id, { userId }]));
}
