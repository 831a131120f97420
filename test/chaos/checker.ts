import { judgeDevice, type JudgedDevice } from "./check-devices.ts";
import { judgeOrder, judgeStored } from "./check-stored.ts";
import { judgeTold } from "./check-pushed.ts";
import type { Log } from "./log.ts";
import { readTruth, type Truth } from "./final-state.ts";

/** Holds what every client saw against the database, and notes every violation in the log. */
export async function judge(url: string, log: Log, devices: readonly JudgedDevice[]): Promise<void> {
  judgeBy(await readTruth(url), log, devices);
}

/** The whole judgement, after everybody has caught up and the server has stopped. */
export function judgeBy(truth: Truth, log: Log, devices: readonly JudgedDevice[]): void {
  judgeOrder(truth, log);
  judgeStored(truth, { sent: log.sent.values(), revisions: log.revisions, marks: log.marks.values() }, log);
  judgeTold(truth, log, log);
  for (const device of devices) judgeDevice(truth, log, device);
  log.counts.groupsEnded = [...truth.chats.values()].filter(({ ended }) => ended).length;
}

/** The part of the judgement that holds at any time: nothing acknowledged is lost, nothing told is a ghost or a leak. */
export async function judgeInPassing(url: string, log: Log): Promise<void> {
  // First what was said, then what is stored: the other way round, what happens meanwhile would look lost.
  const sent = [...log.sent.values()].filter(({ outcome }) => outcome === "acknowledged").map((one) => ({ ...one }));
  const [revisions, marks] = [[...log.revisions], [...log.marks.values()]];
  const told = { pushed: [...log.pushed], synced: [...log.synced], pages: [...log.pages] };
  const truth = await readTruth(url);
  judgeStored(truth, { sent, revisions, marks }, log);
  judgeTold(truth, told, log);
}
