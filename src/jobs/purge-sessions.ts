import type { Database } from "../db/connect.ts";
import { purgeSessions } from "../db/queries/accounts/ended-sessions.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 60_000;
/** How long processes that could not query the database can still find out that a session has ended, in milliseconds. */
const retentionMs = 24 * 60 * 60_000;
/** Pause between two chunks, in milliseconds. */
const pauseMs = 50;

/**
 * Deletes sessions that ended, or whose tokens expired, a day ago, in chunks.
 * @param options.lifetimeMs how long a token of a session that is not refreshed can be valid
 * @returns a function that stops it
 */
export function purgeOldSessions(options: { database: Database; lifetimeMs: number; log: Logger }): () => void {
  const { database, lifetimeMs, log } = options;
  const task = async () => ((await purgeSessions(database, { retentionMs, lifetimeMs })) > 0 ? pauseMs : undefined);
  return poll({ description: "the purge of old sessions", intervalMs, runsAtStart: true, task, log });
}
