/** Changes by other processes are received, or found by the job for missed changes, within this time. */
const maxChangeDelayMs = 60_000;

/**
 * Returns a function that says at which version delivery starts with a chat it does not track, where other processes
 * write too: the chat's version at the time of this call, or 60 s ago if that is later. Older changes have been delivered.
 * @param versionBefore returns the version of a chat as it was this many seconds ago
 */
export function startVersionSinceNow(
  versionBefore: (chatId: number, seconds: number) => Promise<number>,
): (chatId: number) => Promise<number> {
  const since = Date.now();
  return (chatId) => versionBefore(chatId, Math.min(Date.now() - since, maxChangeDelayMs) / 1000);
}
