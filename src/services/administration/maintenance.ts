import type { Database } from "../../db/connect.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import { readEpoch, renewEpoch } from "../../db/queries/epoch.ts";
import { repairCounters } from "../../db/queries/fsck/fsck.ts";
import type { AuditOrigin } from "../../domain/administration.ts";

/* Work on the data itself, which is recorded like other actions of administrators. */

/** Declares the data restored: all clients resume from scratch. @returns the new epoch */
export async function beginEpoch(database: Database, by: AuditOrigin): Promise<string> {
  await database.transaction(async (transaction) => {
    await renewEpoch(database, transaction);
    await recordAction(database, by, { action: "data.new-epoch" }, transaction);
  });
  return readEpoch(database);
}

/** Chats that the record of a repair names. */
const maxRecordedChats = 100;

/** Raises counters that are too low; see `repairCounters`. @returns the number of chats that were repaired */
export function repair(database: Database, by: AuditOrigin, chatId?: number): Promise<number> {
  return database.transaction(async (transaction) => {
    const repaired = await repairCounters(database, chatId, transaction);
    const details = { chats: repaired.length, chatIds: repaired.slice(0, maxRecordedChats) };
    if (repaired.length > 0) await recordAction(database, by, { action: "data.repair", details }, transaction);
    return repaired.length;
  });
}
