import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

export interface EndedSession {
  id: number;
  reason: "ended" | "accountDeleted";
}

/** More than end between two queries. Others are found by the next query, or rejected at their next use. */
const maxRows = 10_000;

/** Returns the sessions that ended after this time, the latest first. Index: sessions_revoked_at. */
export function recentlyEndedSessions(database: Database, after: Date): Promise<EndedSession[]> {
  return select<EndedSession>(
    database,
    `SELECT s.id, CASE WHEN u.deleted_at IS NULL THEN 'ended' ELSE 'accountDeleted' END AS reason
       FROM sessions AS s
       JOIN users AS u ON u.id = s.user_id
      WHERE s.revoked_at > $after
      ORDER BY s.revoked_at DESC
      LIMIT $maxRows`,
    { after, maxRows },
  );
}
