import type { Database } from "../db/connect.ts";
import type { EpochMonitor } from "../db/epoch-monitor.ts";
import { readOnlyReason } from "../db/queries/availability.ts";
import { currentMark } from "../db/queries/chats/recent-changes.ts";
import { raiseIdsOfNewEpoch } from "../db/queries/epoch.ts";
import { selectOn } from "../db/select.ts";
import type { SelectRows } from "../db/select-rows.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { StoreMarks } from "../delivery/store-marks.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 1000;

/**
 * Moves this process to the new epoch when it has changed: forgets everything that is known of the database, and has all
 * clients reconnect, as `sync` gives them the new epoch. Each new connection finds the change before it is used. Databases
 * that are replaced behind open connections are asked every second, and by each `sync`.
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
  let areIdsRaised = true;

  async function raiseIds(selectRows: SelectRows): Promise<void> {
    areIdsRaised = false;
    // A database that cannot be written assigns no ids.
    if (await readOnlyReason(selectRows)) return;
    await raiseIdsOfNewEpoch(selectRows);
    areIdsRaised = true;
  }

  epoch.whenChanged(async (selectRows) => {
    log.warn("the database was restored, or a standby took its place: all clients have to reconnect and sync");
    await raiseIds(selectRows);
    marks.restart(await currentMark(selectRows));
    // In one step: a client that is answered from both histories on one connection would mix them.
    disconnectAll();
    delivery.reset();
    resetCaches();
  });
  const task = async () => {
    await epoch.checkPool(database);
    if (!areIdsRaised) await raiseIds(selectOn(database));
    return undefined;
  };
  return poll({ description: "the query for the epoch", intervalMs, task, log });
}
