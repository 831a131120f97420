import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

/** Pause between two batches, in milliseconds. */
const pauseMs = 50;
const orphansIntervalMs = 24 * 60 * 60_000;

/**
 * Deletes files that are in no message any more, and once a day what killed processes have left in the storage.
 * @param options.collectSome is given the present time, deletes some; resolves with whether there may be more
 * @param options.removeOrphans is given the present time
 * @returns a function that stops it
 */
export function collectFiles(options: {
  collectSome: (now: number) => Promise<boolean>;
  removeOrphans: (now: number) => Promise<void>;
  intervalMs: number;
  log: Logger;
}): () => void {
  const { collectSome, removeOrphans, intervalMs, log } = options;
  const stops = [
    poll({
      description: "the deletion of files",
      intervalMs,
      task: async () => ((await collectSome(Date.now())) ? pauseMs : undefined),
      log,
    }),
    poll({
      description: "the deletion of objects without a row",
      intervalMs: orphansIntervalMs,
      runsAtStart: true,
      task: async () => {
        await removeOrphans(Date.now());
        return undefined;
      },
      log,
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
