/** Later than this is a violation, in milliseconds, where nothing is broken. */
const latestMs = 10_000;

/** When changes were acknowledged, and how long those who were connected then waited for them. */
export class Punctuality {
  /** The newest acknowledged version of each chat. */
  readonly newest = new Map<number, number>();
  /** The longest that anybody waited while nothing was broken, in milliseconds. */
  slowestMs = 0;
  private readonly acknowledgedAt = new Map<string, number>();
  private mendedAt = 0;
  private isBroken = false;

  acknowledge(chatId: number, version: number): void {
    this.acknowledgedAt.set(`${chatId} ${version}`, Date.now());
    this.newest.set(chatId, Math.max(version, this.newest.get(chatId) ?? 0));
  }

  /** Nobody counts what takes longer until `mend`. */
  break(): void {
    this.isBroken = true;
  }

  mend(): void {
    this.isBroken = false;
    this.mendedAt = Date.now();
  }

  /**
   * Somebody is told.
   * @param since from when on he must have been told everything
   * @returns how late, in milliseconds, if that is too late
   */
  hear(chatId: number, version: number, since: number): number | undefined {
    const acknowledgedAt = this.acknowledgedAt.get(`${chatId} ${version}`);
    if (acknowledgedAt === undefined || this.isBroken) return undefined;
    const waitedMs = Date.now() - Math.max(acknowledgedAt, this.mendedAt, since);
    this.slowestMs = Math.max(this.slowestMs, waitedMs);
    return waitedMs > latestMs ? waitedMs : undefined;
  }

  /** Waits until everybody has been told everything, as long as that may take. @returns whether they have */
  async untilAll(areTold: () => boolean): Promise<boolean> {
    const latest = Date.now() + latestMs;
    while (!areTold() && Date.now() < latest) await new Promise((resolve) => setTimeout(resolve, 50));
    return areTold();
  }
}
