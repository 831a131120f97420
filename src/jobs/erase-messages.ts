import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 2000;
/** Pause between two chunks, so that neither sends nor slow clients suffer from a long erasure, in milliseconds. */
const pauseMs = 200;

/**
 * Deletes the messages of erased accounts in chunks.
 * @param options.eraseSome deletes one chunk; returns whether there may be more to do
 * @returns a function that stops it
 */
export function eraseMessages({ eraseSome, log }: { eraseSome: () => Promise<boolean>; log: Logger }): () => void {
  const task = async () => ((await eraseSome()) ? pauseMs : undefined);
  return poll({ description: "the erasure of messages", intervalMs, runsAtStart: true, task, log });
}
