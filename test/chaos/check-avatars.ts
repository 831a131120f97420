import type { FinalState } from "./final-state.ts";
import type { AvatarRequest, Log } from "./log.ts";

/** For so long a request without an answer can still take effect, in milliseconds. */
const maxEffectMs = 5000;

/** No acknowledged change of an avatar is lost: what is stored is the result of a request that no later one has replaced. */
export function checkAvatars({ chats, rows, avatars }: FinalState, log: Log): void {
  const given = new Set(rows.flatMap(({ chatId, event }) => (event?.avatarId ? [`${chatId} ${event.avatarId}`] : [])));
  for (const { groupId, avatarId } of log.avatarRequests) {
    if (groupId === undefined || !avatarId || chats.get(groupId)?.isDeleted || given.has(`${groupId} ${avatarId}`))
      continue;
    log.reportViolation("lost", `group ${groupId}: the avatar ${avatarId} was acknowledged and is not stored`);
  }
  for (const [userId, stored] of avatars) {
    const requests = log.avatarRequests.filter((one) => one.groupId === undefined && one.userId === userId);
    if (isLastOf(requests, stored)) continue;
    log.reportViolation(
      "lost",
      `user ${userId} has the avatar ${stored}, which was replaced by an acknowledged request`,
    );
  }
}

/** Whether a value can be the outcome of requests, of which some overlap and some have an unknown outcome. */
function isLastOf(requests: readonly AvatarRequest[], stored: string | null): boolean {
  const isReplacedAfter = (time: number) => requests.some((one) => one.avatarId !== undefined && one.startedAt > time);
  const isPossible = ({ avatarId, endedAt }: AvatarRequest) =>
    avatarId === undefined ? !isReplacedAfter(endedAt + maxEffectMs) : avatarId === stored && !isReplacedAfter(endedAt);
  const isUnchanged = stored === null && requests.every(({ avatarId }) => avatarId === undefined || avatarId === null);
  return isUnchanged || requests.some(isPossible);
}

/** At the end of a run, users have the avatars that are stored, and each can be read. */
export function checkAvatarsRead({ avatars }: FinalState, log: Log): void {
  for (const { userId, avatarId } of log.avatarsRead) {
    if (avatars.get(userId) === avatarId) continue;
    log.reportViolation("incomplete", `user ${userId} has the avatar ${avatarId} instead of ${avatars.get(userId)}`);
  }
}
