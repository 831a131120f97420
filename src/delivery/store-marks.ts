import type { AgedMark, StoreMark } from "../domain/store-mark.ts";

/** A change by another process is received, or found by the job for missed changes, within this time. */
const maxChangeDelayMs = 60_000;

/**
 * Marks of the last minute. They translate "some seconds ago", measured by the monotonic clock of this process, into ids
 * and times of the database. So neither a step of this process's clock nor one of the database's makes it miss changes.
 */
export class StoreMarks {
  /** The oldest first. */
  private readonly marks: { mark: StoreMark; at: number }[];
  private restartCount = 0;

  /** @param first made before anything depends on changes of other processes */
  constructor(first: StoreMark) {
    this.marks = [{ mark: first, at: performance.now() }];
  }

  /** How often the database has got another history. */
  get restarts(): number {
    return this.restartCount;
  }

  /** Forgets all marks: the database has another history now. */
  restart(first: StoreMark): void {
    this.restartCount++;
    this.marks.splice(0, this.marks.length, { mark: first, at: performance.now() });
  }

  /** Adds a mark. To be called after what had changed up to it was delivered. */
  add(mark: StoreMark): void {
    const now = performance.now();
    this.marks.push({ mark, at: now });
    while (this.marks[1] && this.marks[1].at <= now - maxChangeDelayMs) this.marks.shift();
  }

  /** A mark that is at least this much older than the latest one, or the first one. In milliseconds. */
  beforeLatest(ms: number): AgedMark {
    return this.newestUpTo((this.marks.at(-1)?.at ?? 0) - ms);
  }

  /** A mark before which all changes have been delivered here, or were made before this process started. */
  get delivered(): AgedMark {
    return this.newestUpTo(performance.now() - maxChangeDelayMs);
  }

  private newestUpTo(at: number): AgedMark {
    const found = this.marks.findLast((entry) => entry.at <= at) ?? this.marks[0];
    if (!found) throw new Error("there is always a mark");
    return { ...found.mark, ageSeconds: (performance.now() - found.at) / 1000 };
  }
}
