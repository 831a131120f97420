import { type CheckedDevice, checkDevice } from "./check-devices.ts";
import { checkReceived } from "./check-received.ts";
import { checkOrder, checkStored } from "./check-stored.ts";
import { type FinalState, readFinalState } from "./final-state.ts";
import type { Log } from "./log.ts";

/** Compares what the clients observed with the database and reports every violation to the log. */
export async function checkDatabase(url: string, log: Log, devices: readonly CheckedDevice[]): Promise<void> {
  checkRun(await readFinalState(url), log, devices);
}

/** All checks of a finished run: the devices have synced, and the server has stopped. */
export function checkRun(finalState: FinalState, log: Log, devices: readonly CheckedDevice[]): void {
  checkOrder(finalState, log);
  checkStored(
    finalState,
    { sent: log.sent.values(), revisions: log.revisions, readStates: log.readStates.values() },
    log,
  );
  checkReceived(finalState, log, log);
  for (const device of devices) checkDevice(finalState, log, device);
  log.counts.groupsDeleted = [...finalState.chats.values()].filter(({ isDeleted }) => isDeleted).length;
}

/** The checks that hold during a run: no acknowledged change is lost, and nothing received is a ghost or a leak. */
export async function checkDuringRun(url: string, log: Log): Promise<void> {
  // Copy the log before reading the database. In the other order, changes made in between would look lost.
  const sent = [...log.sent.values()].filter(({ outcome }) => outcome === "acknowledged").map((one) => ({ ...one }));
  const [revisions, readStates] = [[...log.revisions], [...log.readStates.values()]];
  const received = { pushed: [...log.pushed], synced: [...log.synced], pages: [...log.pages] };
  const finalState = await readFinalState(url);
  checkStored(finalState, { sent, revisions, readStates }, log);
  checkReceived(finalState, received, log);
}
