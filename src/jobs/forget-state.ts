import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 60_000;
/** Pause between two users, in milliseconds. */
const pauseMs = 50;

/**
 * Forgets keys of personal state that were removed long ago.
 * @param options.forgetSome forgets those of one user; resolves with whether there may be more
 * @returns a function that stops it
 */
export function forgetRemovedState(options: { forgetSome: () => Promise<boolean>; log: Logger }): () => void {
  const task = async () => ((await options.forgetSome()) ? pauseMs : undefined);
  const description = "the removal of forgotten state";
  return poll({ description, intervalMs, runsAtStart: true, task, log: options.log });
}
