import { lostUpload } from "./check-files.ts";
import { lostState } from "./check-state.ts";
import { clientKeyOf, indexByClientId, lostMark, lostOf } from "./check-stored.ts";
import { type FinalState, memberKey } from "./final-state.ts";
import type { Log } from "./log.ts";

/** Notes in the log that everything acknowledged which a restored backup does not contain is undone. */
export function undoLater(restored: FinalState, log: Log): void {
  const stored = indexByClientId(restored);
  for (const sent of log.sent.values()) {
    if (sent.outcome !== "acknowledged" || stored.has(clientKeyOf(sent))) continue;
    sent.outcome = "undone";
    log.counts.undone++;
  }
  log.revisions = log.revisions.filter((revision) => lostOf(restored, revision) === undefined);
  log.marks = log.marks.filter((mark) => lostMark(restored, mark) === undefined);
  log.states = log.states.filter((state) => lostState(restored, state) === undefined);
  for (const [id, upload] of log.uploads) {
    if (!restored.files.has(id) || lostUpload(restored, upload)) log.uploads.delete(id);
  }
  const now = Date.now();
  log.avatarRequests = [...restored.avatars].map(([userId, avatarId]) => {
    return { userId, groupId: undefined, avatarId, startedAt: now, endedAt: now };
  });
  for (const [key, state] of log.readStates) {
    const member = restored.members.get(memberKey(state.userId, state.chatId));
    if (!member) log.readStates.delete(key);
    else {
      const readSeq = Math.min(state.readSeq, member.readSeq);
      const clearedSeq = Math.min(state.clearedSeq, member.clearedSeq);
      log.readStates.set(key, { ...state, readSeq, clearedSeq });
    }
  }
}
