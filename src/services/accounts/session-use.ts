import type { FailureLog } from "../../logger.ts";

/** How long uses are collected before they are written together, in milliseconds, and after a failure. */
const collectMs = 1000;
const retryAfterFailureMs = 30_000;

/** Most sessions written by one statement. The others are recorded at their next use. */
const maxBatch = 10_000;

/**
 * Records when sessions were last used, in the background: a request never waits for it, and never fails because the
 * database cannot be written. What could not be written is written later.
 */
export class SessionUse {
  /** Uses that have not been written, by session, and those that are being written. */
  private pending = new Map<number, Date>();
  private writing: ReadonlyMap<number, Date> = new Map();
  private timer: NodeJS.Timeout | undefined;
  private failureCount = 0;

  constructor(
    private readonly write: (sessionIds: readonly number[]) => Promise<void>,
    private readonly failureLog?: FailureLog,
  ) {}

  /** How often the times could not be written. */
  get failures(): number {
    return this.failureCount;
  }

  /** Notes that a session whose recorded time is outdated is used now. */
  note(sessionId: number): void {
    if (this.pending.size < maxBatch) this.pending.set(sessionId, new Date());
    this.timer ??= this.flushIn(collectMs);
  }

  /** The uses that have not been written yet, by session. */
  unwritten(): ReadonlyMap<number, Date> {
    return new Map([...this.writing, ...this.pending]);
  }

  private async flush(): Promise<void> {
    const batch = this.pending;
    this.writing = batch;
    this.pending = new Map();
    try {
      await this.write([...batch.keys()]);
      this.failureLog?.succeeded();
      this.timer = this.pending.size > 0 ? this.flushIn(collectMs) : undefined;
    } catch (error) {
      this.failureLog?.failed(error);
      this.failureCount++;
      this.pending = new Map([...batch, ...this.pending]);
      this.timer = this.flushIn(retryAfterFailureMs);
    }
    this.writing = new Map();
  }

  private flushIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => void this.flush(), ms).unref();
  }
}
