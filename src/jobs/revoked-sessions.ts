import type { SessionsEnded } from "../domain/session.ts";
import type { Database } from "../db/connect.ts";
import { recentlyEndedSessions } from "../db/queries/accounts/ended-sessions.ts";
import type { Logger } from "../logger.ts";

const everyMs = 1000;
/** How far clocks of processes and database may be apart. */
const marginMs = 60_000;

/**
 * Asks the database every second which sessions have ended: by another process, or by an operator's script. So that a
 * socket of an ended session closes within two seconds wherever it is, whatever else fails to tell.
 * @returns what stops it
 */
export function pollRevokedSessions(options: {
  database: Database;
  onEnded: (ended: SessionsEnded) => void;
  log: Logger;
}): () => void {
  const { database, onEnded, log } = options;
  let since = Date.now();
  let asking = false;
  const look = async () => {
    if (asking) return;
    asking = true;
    const askedAt = Date.now();
    try {
      const ended = await recentlyEndedSessions(database, new Date(since - marginMs));
      for (const reason of ["ended", "accountDeleted"] as const) {
        const sessionIds = ended.filter((session) => session.reason === reason).map(({ id }) => id);
        if (sessionIds.length > 0) onEnded({ sessionIds, reason });
      }
      since = askedAt;
    } catch (error) {
      log.debug({ err: error }, "ended sessions could not be looked up; asking again");
    } finally {
      asking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => clearInterval(timer);
}
