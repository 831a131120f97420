import { failureLog } from "../db/failure-log.ts";
import type { Logger } from "../logger.ts";

export interface PollOptions {
  /** What the task does, for the log: "<description> failed". */
  description: string;
  intervalMs: number;
  /** Runs the task at once as well, instead of only after the first interval. */
  runsAtStart?: boolean;
  /** May return a delay in milliseconds after which it runs again, instead of at the next interval. */
  task: () => Promise<number | undefined>;
  log: Logger;
}

/**
 * Runs a task at every interval. Runs never overlap: one that takes longer than the interval skips the runs it misses.
 * A failure is logged once until the task succeeds again, unless the database is unavailable, which is logged elsewhere.
 * @returns a function that stops it; a run in progress is not interrupted
 */
export function poll({ description, intervalMs, runsAtStart = false, task, log }: PollOptions): () => void {
  let stopped = false;
  const failures = failureLog(log, description);
  let timer: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    const startedAt = performance.now();
    const delayMs = await task().then(succeeded, failed);
    if (!stopped) schedule(delayMs ?? intervalMs - ((performance.now() - startedAt) % intervalMs));
  }

  function succeeded(delayMs: number | undefined): number | undefined {
    failures.succeeded();
    return delayMs;
  }

  function failed(error: unknown): undefined {
    if (!stopped) failures.failed(error);
  }

  function schedule(delayMs: number): void {
    timer = setTimeout(() => void run(), delayMs).unref();
  }

  if (runsAtStart) void run();
  else schedule(intervalMs);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
