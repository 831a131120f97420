/**
 * The epoch of the database, as this process has last seen it. Every connection is asked for it when it is opened, every
 * `sync` reads it, and a job polls it. Another one means that the database was restored, or that a standby took its place:
 * what was read before may not have happened.
 */
export class EpochMonitor {
  private epoch: string | undefined;
  private onChange: (() => void) | undefined;

  /** Undefined before the first connection. */
  get current(): string | undefined {
    return this.epoch;
  }

  /** Sets the function to call when the epoch has changed. */
  whenChanged(onChange: () => void): void {
    this.onChange = onChange;
  }

  /** Notes the epoch that the database has now. */
  readonly note = (epoch: string): void => {
    if (epoch === this.epoch) return;
    const isFirst = this.epoch === undefined;
    this.epoch = epoch;
    if (!isFirst) this.onChange?.();
  };
}
