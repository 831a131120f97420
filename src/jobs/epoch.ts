import type { Database } from "../db/connect.ts";
import type { EpochMonitor } from "../db/epoch-monitor.ts";
import { currentMark } from "../db/queries/chats/recent-changes.ts";
import { raiseIdsOfNewEpoch, readEpoch } from "../db/queries/epoch.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { StoreMarks } from "../delivery/store-marks.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 1000;

/**
 * Reads the epoch of the database every second, for databases that are replaced behind open connections. After a change of
 * the epoch, which may also be found elsewhere, forgets everything that is known of the database, and then has all clients
 * reconnect: `sync` gives them the new epoch.
 * @returns a function that stops it
 */
export function followEpoch(options: {
  database: Database;
  epoch: EpochMonitor;
  marks: StoreMarks;
  delivery: Delivery;
  /** Forgets ids of the earlier history. */
  resetCaches: () => void;
  /** Closes all sockets. */
  disconnectAll: () => void;
  log: Logger;
}): () => void {
  const { database, epoch, marks, delivery, resetCaches, disconnectAll, log } = options;

  async function startHistory(): Promise<void> {
    log.warn("the database was restored, or a standby took its place: all clients have to reconnect and sync");
    try {
      await raiseIdsOfNewEpoch(database);
      marks.restart(await currentMark(database));
    } finally {
      delivery.reset();
      resetCaches();
      disconnectAll();
    }
  }

  epoch.whenChanged(() => {
    startHistory().catch((error) =>
      log.warn(
        { err: error },
        "ids of the lost history may be used again, and missed changes not be found, until the next start",
      ),
    );
  });
  const task = async () => {
    epoch.note(await readEpoch(database));
    return undefined;
  };
  return poll({ description: "the query for the epoch", intervalMs, task, log });
}
