import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

export interface EndedSession {
  id: number;
  reason: "ended" | "accountDeleted";
}

/** More than end between two queries. Others are found by the next query, or rejected at their next use. */
const maxRows = 10_000;

/**
 * Returns the sessions that ended within the margin before a time, or since, the latest first; and the present time. All
 * times are the database's. If its clock has gone back since, the margin begins at its present time. Index:
 * sessions_revoked_at.
 * @param options.since undefined: now
 */
export async function recentlyEndedSessions(
  database: Database,
  { since, marginMs }: { since: Date | undefined; marginMs: number },
): Promise<{ ended: EndedSession[]; now: Date }> {
  const [time] = await select<{ now: Date }>(database, "SELECT clock_timestamp() AS now", {});
  if (!time) throw new Error("the database did not tell the time");
  const ended = await select<EndedSession>(
    database,
    `SELECT s.id, CASE WHEN u.deleted_at IS NULL THEN 'ended' ELSE 'accountDeleted' END AS reason
       FROM sessions AS s
       JOIN users AS u ON u.id = s.user_id
      WHERE s.revoked_at > LEAST($since::timestamptz, now()) - make_interval(secs => $marginMs / 1000.0)
      ORDER BY s.revoked_at DESC
      LIMIT $maxRows`,
    { since: since ?? null, marginMs, maxRows },
  );
  return { ended, now: time.now };
}

const purgeChunkSize = 1000;

/**
 * Deletes a chunk of the sessions that ended, or whose tokens expired, at least `retentionMs` ago, by the clock of the
 * database. Indexes: sessions_revoked_at, sessions_refreshed_at.
 * @returns how many it deleted
 */
export async function purgeSessions(
  database: Database,
  { retentionMs, lifetimeMs }: { retentionMs: number; lifetimeMs: number },
): Promise<number> {
  const rows = await select(
    database,
    `WITH ended AS (
            SELECT id FROM sessions
             WHERE revoked_at < clock_timestamp() - make_interval(secs => $retentionMs / 1000.0)
             ORDER BY revoked_at
             LIMIT $purgeChunkSize
               FOR UPDATE SKIP LOCKED
          ), expired AS (
            SELECT id FROM sessions
             WHERE revoked_at IS NULL
               AND refreshed_at < clock_timestamp() - make_interval(secs => ($retentionMs + $lifetimeMs) / 1000.0)
             ORDER BY refreshed_at
             LIMIT $purgeChunkSize
               FOR UPDATE SKIP LOCKED
          )
     DELETE FROM sessions WHERE id IN (SELECT id FROM ended UNION ALL SELECT id FROM expired)
  RETURNING id`,
    { retentionMs, lifetimeMs, purgeChunkSize },
  );
  return rows.length;
}
