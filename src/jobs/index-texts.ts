import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 500;
/** Pause between two chunks, so that others are served while many messages are indexed, in milliseconds. */
const pauseMs = 10;

/**
 * Keeps the searchable texts of messages up to date.
 * @param options.indexSome indexes some changes; resolves with whether there are more
 * @returns a function that stops it
 */
export function indexTexts({ indexSome, log }: { indexSome: () => Promise<boolean>; log: Logger }): () => void {
  const task = async () => ((await indexSome()) ? pauseMs : undefined);
  return poll({ description: "the indexing of messages for search", intervalMs, runsAtStart: true, task, log });
}
