import type { Database } from "../db/connect.ts";
import { currentMark, recentChanges } from "../db/queries/chats/recent-changes.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { StoreMarks } from "../delivery/store-marks.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 1000;
/** Longest time from a change's id or timestamp to its commit, in milliseconds: more than the longest transaction. */
const marginMs = 15_000;

/**
 * Queries recent changes every second and has delivery publish those it has missed: the bus lost the hint, or the
 * process that committed them was killed. Changes by other processes are thus at most two seconds late without a bus.
 * @returns a function that stops it
 */
export function pollMissedChanges(options: {
  database: Database;
  delivery: Delivery;
  marks: StoreMarks;
  log: Logger;
}): () => void {
  const { database, delivery, marks, log } = options;
  const task = async () => {
    const mark = await currentMark(database);
    const changes = await recentChanges(database, marks.beforeLatest(marginMs));
    for (const change of changes) delivery.advanceTo(change);
    marks.add(mark);
    return undefined;
  };
  return poll({ description: "the query for missed changes", intervalMs, task, log });
}
