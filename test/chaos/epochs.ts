/** The epochs that clients received. Each history of the database must have one epoch of its own. */
export class Epochs {
  private readonly earlier = new Set<string>();
  private current: string | undefined;

  /** A backup was restored: the next epoch must be a new one. */
  startHistory(): void {
    if (this.current !== undefined) this.earlier.add(this.current);
    this.current = undefined;
  }

  /** Whether the history of this epoch has ended. */
  isEnded(epoch: string | undefined): boolean {
    return epoch !== undefined && this.earlier.has(epoch);
  }

  /** Records an epoch that a client received. @returns what is wrong with it */
  record(epoch: string): string | undefined {
    if (this.earlier.has(epoch)) return "with the epoch of before the restore";
    this.current ??= epoch;
    return epoch === this.current ? undefined : "with another epoch, without a restore";
  }
}
