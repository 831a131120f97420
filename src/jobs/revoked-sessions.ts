import type { Database } from "../db/connect.ts";
import { recentlyEndedSessions } from "../db/queries/accounts/ended-sessions.ts";
import { type SessionsEnded, sessionEndReasons } from "../domain/session.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 1000;
/** More than the time from the end of a session to its commit, in milliseconds. */
const marginMs = 60_000;

/**
 * Queries every second which sessions were ended by other processes or by an operator's command. Sockets of an ended
 * session are thus closed within two seconds on every process, even if the bus loses the message.
 * @returns a function that stops it
 */
export function pollRevokedSessions(options: {
  database: Database;
  onEnded: (ended: SessionsEnded) => void;
  log: Logger;
}): () => void {
  const { database, onEnded, log } = options;
  let since: Date | undefined;
  const task = async () => {
    const { ended, now } = await recentlyEndedSessions(database, { since, marginMs });
    for (const reason of sessionEndReasons) {
      const sessionIds = ended.filter((session) => session.reason === reason).map(({ id }) => id);
      if (sessionIds.length > 0) onEnded({ sessionIds, reason });
    }
    since = now;
    return undefined;
  };
  return poll({ description: "the query for ended sessions", intervalMs, task, log });
}
