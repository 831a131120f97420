import type { Database } from "../../db/connect.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import { raiseIdsOfNewEpoch, readEpoch, renewEpoch } from "../../db/queries/epoch.ts";
import { selectOn } from "../../db/select.ts";
import type { AuditOrigin } from "../../domain/administration.ts";

/* Work on the data itself, which is recorded like other actions of administrators. */

/** Declares the data restored: all clients resume from scratch, and no id is used again. @returns the new epoch */
export async function beginEpoch(database: Database, by: AuditOrigin): Promise<string> {
  await database.transaction(async (transaction) => {
    await renewEpoch(database, transaction);
    await raiseIdsOfNewEpoch(selectOn(database, transaction));
    await recordAction(database, by, { action: "data.new-epoch" }, transaction);
  });
  return readEpoch(selectOn(database));
}
