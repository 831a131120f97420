/** Changes by other processes are received, or found by the job for missed changes, within this time. */
const maxChangeDelayMs = 60_000;

/**
 * Returns the version from which delivery publishes a chat it does not remember, if other processes write too: before
 * the changes since this call, but not further back than changes by other processes can be late.
 * @param versionBefore returns the version of a chat as it was this many seconds ago
 */
export function startVersionSinceNow(
  versionBefore: (chatId: number, seconds: number) => Promise<number>,
): (chatId: number) => Promise<number> {
  const since = Date.now();
  return (chatId) => versionBefore(chatId, Math.min(Date.now() - since, maxChangeDelayMs) / 1000);
}
