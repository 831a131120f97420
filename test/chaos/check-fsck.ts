import { Sequelize } from "sequelize-typescript";
import { connectionOptions } from "../../src/db/connect.ts";
import { findViolations } from "../../src/db/queries/fsck/fsck.ts";
import { openStorage } from "../../src/files/open-storage.ts";
import { checkFiles } from "../../src/services/files/check-files.ts";
import type { Log } from "./log.ts";

const twoDaysMs = 2 * 24 * 60 * 60_000;

/**
 * What `messenger fsck` finds in the database and the files of a stopped server.
 * @param options.isOneHistory whether no backup and no standby took the place of the data: then no file is left without a row.
 *   `fsck` itself reports only those that are a day old
 */
export async function checkWithFsck(
  url: string,
  { dataDir, isOneHistory, log }: { dataDir: string; isOneHistory: boolean; log: Log },
): Promise<void> {
  const now = Date.now() + (isOneHistory ? twoDaysMs : 0);
  // An embedded database has one session.
  const database = new Sequelize({ ...connectionOptions(url), pool: { max: 1 } });
  try {
    const { violations } = await findViolations(database);
    const storage = await openStorage({ url: undefined, dataDir });
    for (const found of [...violations, ...(await checkFiles(database, storage, now))]) {
      log.reportViolation("fsck", JSON.stringify(found));
    }
  } finally {
    await database.close();
  }
}
