import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

export interface EndedSession {
  id: number;
  reason: "ended" | "accountDeleted";
}

/** More than end in any margin of ours; the rest is found by the next look, or refused at its next use. */
const most = 10_000;

/** The sessions that ended after a moment, the newest first. Index: sessions_revoked_at. */
export function recentlyEndedSessions(database: Database, after: Date): Promise<EndedSession[]> {
  return select<EndedSession>(
    database,
    `SELECT s.id, CASE WHEN u.deleted_at IS NULL THEN 'ended' ELSE 'accountDeleted' END AS reason
       FROM sessions AS s
       JOIN users AS u ON u.id = s.user_id
      WHERE s.revoked_at > $after
      ORDER BY s.revoked_at DESC
      LIMIT $most`,
    { after, most },
  );
}
