import type { Database } from "../db/connect.ts";
import { recentChanges } from "../db/queries/chats/recent-changes.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { Logger } from "../logger.ts";

const everyMs = 1000;
/** How long a change may take from its time stamp to its commit: longer than the database lets a transaction live. */
const marginMs = 15_000;

/**
 * Asks the database every second what was changed lately, and lets delivery give out what it has not heard of: hints
 * that the bus lost, or that a process could not give before it was killed. So that between processes nothing is later
 * than two seconds, with or without the bus.
 * @returns what stops it
 */
export function pollMissedChanges(options: { database: Database; delivery: Delivery; log: Logger }): () => void {
  const { database, delivery, log } = options;
  let lookedAt = Date.now();
  let looking = false;
  const look = async () => {
    if (looking) return;
    looking = true;
    const now = Date.now();
    try {
      const changes = await recentChanges(database, { seconds: (now - lookedAt + marginMs) / 1000 });
      for (const change of changes) delivery.advanceTo(change);
      lookedAt = now;
    } catch (error) {
      log.debug({ err: error }, "recent changes could not be looked up; asking again");
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => clearInterval(timer);
}
