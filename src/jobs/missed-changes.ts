import type { Database } from "../db/connect.ts";
import { currentMark, recentChanges } from "../db/queries/chats/recent-changes.ts";
import { recentStates, stateEntry } from "../db/queries/state/recent-states.ts";
import { selectOn } from "../db/select.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { StateVersions } from "../delivery/state-versions.ts";
import type { StoreMarks } from "../delivery/store-marks.ts";
import type { Signal } from "../domain/change.ts";
import type { AgedMark } from "../domain/store-mark.ts";
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
  states: StateVersions;
  /** Whether a user is connected to this process. */
  isConnected: (userId: number) => boolean;
  /** Pushes a signal to the recipients that are connected to this process. */
  deliverSignal: (signal: Signal) => void;
  log: Logger;
}): () => void {
  const { database, delivery, marks, log } = options;
  const task = async () => {
    const { restarts } = marks;
    const mark = await currentMark(selectOn(database));
    const since = marks.beforeLatest(marginMs);
    const changes = await recentChanges(database, since);
    // What was read belongs to a history that has ended meanwhile.
    if (marks.restarts !== restarts) return undefined;
    for (const change of changes) delivery.advanceTo(change);
    await pushMissedStates(options, since);
    if (marks.restarts === restarts) marks.add(mark);
    return undefined;
  };
  return poll({ description: "the query for missed changes", intervalMs, task, log });
}

/** Pushes the newest change of each user's personal state that was missed. Its devices find those before it with `sync`. */
async function pushMissedStates(
  {
    database,
    states,
    isConnected,
    deliverSignal,
  }: Pick<Parameters<typeof pollMissedChanges>[0], "database" | "states" | "isConnected" | "deliverSignal">,
  since: AgedMark,
): Promise<void> {
  for (const change of await recentStates(database, since)) {
    const { userId, version } = change;
    if (!states.isNewer(userId, version) || !isConnected(userId)) continue;
    const item = await stateEntry(database, change);
    if (item) deliverSignal({ kind: "state", item, recipientIds: [userId] });
  }
}
