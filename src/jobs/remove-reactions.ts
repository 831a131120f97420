import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 60_000;
/** Pause between two chunks, so that sends do not wait behind a long removal, in milliseconds. */
const pauseMs = 50;

/**
 * Removes reactions that deleted accounts have left: the process that deleted the account may have ended before it had
 * removed them.
 * @param options.removeSome removes some; resolves with whether there may be more
 * @returns a function that stops it
 */
export function removeReactionsOfDeletedAccounts(options: {
  removeSome: () => Promise<boolean>;
  log: Logger;
}): () => void {
  const task = async () => ((await options.removeSome()) ? pauseMs : undefined);
  const description = "the removal of reactions of deleted accounts";
  return poll({ description, intervalMs, runsAtStart: true, task, log: options.log });
}
