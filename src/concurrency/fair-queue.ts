import { Semaphore } from "./semaphore.ts";

/**
 * Lets only so many run at a time, and of each person one; the others wait. In the line for all stands everybody at most
 * once, so who asks for a hundred things is served in turns with who asks for one.
 */
export class FairQueue {
  private readonly line: Semaphore;
  /** Settles when all that a person has asked for by now is done. */
  private readonly lastOf = new Map<number, Promise<void>>();

  constructor(atATime: number) {
    this.line = new Semaphore(atATime);
  }

  /** Does the work when it is this person's turn. */
  run<T>(userId: number, work: () => Promise<T>): Promise<T> {
    const before = this.lastOf.get(userId) ?? Promise.resolve();
    const done = before.then(() => this.line.run(work));
    const settled: Promise<void> = done.then(ignore, ignore).then(() => {
      if (this.lastOf.get(userId) === settled) this.lastOf.delete(userId);
    });
    this.lastOf.set(userId, settled);
    return done;
  }
}

const ignore = (): void => {};
