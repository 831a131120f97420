import { checkAvatars, checkAvatarsRead } from "./check-avatars.ts";
import { type CheckedDevice, checkDevice } from "./check-devices.ts";
import { checkFilesRead } from "./check-files.ts";
import { checkIndex } from "./check-index.ts";
import { checkMentionsRead } from "./check-mentions.ts";
import { checkReceived } from "./check-received.ts";
import { checkOrder, checkStored } from "./check-stored.ts";
import { type FinalState, readFinalState } from "./final-state.ts";
import type { Acknowledged, Log } from "./log.ts";
import type { SdkDevices } from "./sdk-devices.ts";
import { undoLater } from "./undone.ts";

/** Compares what the clients observed with the database and reports every violation to the log. */
export async function checkDatabase(url: string, log: Log, devices: readonly CheckedDevice[]): Promise<void> {
  const finalState = await readFinalState(url);
  checkRun(finalState, log, devices);
  checkIndex(finalState, log);
}

/** All checks of a finished run: the devices have synced, and the server has stopped. */
export function checkRun(finalState: FinalState, log: Log, devices: readonly CheckedDevice[]): void {
  checkHistory(finalState, log);
  for (const device of devices) checkDevice(finalState, log, device);
  checkMentionsRead(finalState, log);
  checkFilesRead(finalState, log);
  checkAvatarsRead(finalState, log);
  log.counts.groupsDeleted = [...finalState.chats.values()].filter(({ isDeleted }) => isDeleted).length;
}

/** The checks of a database that is about to be replaced by a backup: the server has stopped. */
export async function checkEndOfHistory(url: string, log: Log): Promise<void> {
  checkHistory(await readFinalState(url), log);
}

/**
 * The checks of a restored backup: everything acknowledged before it was taken is stored. What was acknowledged later is
 * undone from now on, unless the backup contains it.
 */
export async function checkRestored(url: string, log: Log, acknowledgedBefore: Acknowledged): Promise<void> {
  startRestoredHistory(await readFinalState(url), log, acknowledgedBefore);
}

export function startRestoredHistory(restored: FinalState, log: Log, acknowledgedBefore: Acknowledged): void {
  checkOrder(restored, log);
  checkStored(restored, acknowledgedBefore, log);
  undoLater(restored, log);
  log.startHistory();
}

/** All checks but those of the devices. */
function checkHistory(finalState: FinalState, log: Log): void {
  checkOrder(finalState, log);
  const { sent, revisions, marks, readStates, states } = log;
  const observed = {
    sent: [...sent.values()],
    revisions,
    marks,
    readStates: [...readStates.values()],
    states,
    uploads: [...log.uploads.values()],
  };
  checkStored(finalState, observed, log);
  checkAvatars(finalState, log);
  checkReceived(finalState, log, log);
}

/** The checks that hold during a run: no acknowledged change is lost, and nothing received is a ghost or a leak. */
export async function checkDuringRun(url: string, log: Log, sdk: SdkDevices): Promise<void> {
  // Copy the log before reading the database. In the other order, changes made in between would look lost.
  const acknowledged = log.acknowledged();
  const sentBySdk = sdk.sent();
  const { pushed, pushedStates, synced, pages } = log;
  const received = {
    pushed: [...pushed],
    pushedStates: [...pushedStates],
    synced: [...synced],
    pages: [...pages],
  };
  const finalState = await readFinalState(url);
  checkStored(finalState, acknowledged, log);
  checkReceived(finalState, received, log);
  sdk.checkSent(finalState, sentBySdk);
}
