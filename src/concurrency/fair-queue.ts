import { Semaphore } from "./semaphore.ts";

/** Readers cannot take the database from writers, nor one user from others. */
export interface FairQueues {
  /** For requests that do not change a chat, and HTTP requests that read. */
  reads: FairQueue;
  /** For requests that change a chat, except sends, and HTTP requests that change something. */
  changes: FairQueue;
}

/**
 * Limits concurrency overall and to one task per user. Each user has at most one task in the shared queue, so users
 * with many tasks cannot starve others.
 */
export class FairQueue {
  private readonly semaphore: Semaphore;
  /** For each user, settles when all tasks queued so far are done. */
  private readonly lastTasks = new Map<number, Promise<void>>();

  constructor(concurrency: number) {
    this.semaphore = new Semaphore(concurrency);
  }

  /** Runs the task after the user's earlier tasks and when the shared queue reaches it. */
  run<T>(userId: number, task: () => Promise<T>): Promise<T> {
    const previous = this.lastTasks.get(userId) ?? Promise.resolve();
    const result = previous.then(() => this.semaphore.run(task));
    const settled: Promise<void> = result.then(ignore, ignore).then(() => {
      if (this.lastTasks.get(userId) === settled) this.lastTasks.delete(userId);
    });
    this.lastTasks.set(userId, settled);
    return result;
  }
}

const ignore = (): void => {};
