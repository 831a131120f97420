import type { Database } from "../db/connect.ts";
import { purgeOneTimeTokens } from "../db/queries/accounts/one-time-tokens.ts";
import { purgeAuditLog } from "../db/queries/administration/audit.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 60_000;
/** Pause between two chunks, in milliseconds. */
const pauseMs = 50;

/**
 * Deletes one-time tokens that have expired, and old records of what administrators have done.
 * @param options.auditRetentionMs how long these are kept
 * @returns a function that stops it
 */
export function purgeAdministration(options: {
  database: Database;
  auditRetentionMs: number;
  log: Logger;
}): () => void {
  const { database, auditRetentionMs, log } = options;
  const task = async () => {
    await purgeOneTimeTokens(database);
    return (await purgeAuditLog(database, auditRetentionMs)) > 0 ? pauseMs : undefined;
  };
  return poll({ description: "the purge of the audit log", intervalMs, runsAtStart: true, task, log });
}
