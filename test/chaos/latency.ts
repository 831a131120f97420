/** The maximum latency without faults, in milliseconds. */
const maxLatencyMs = 10_000;

/** Measures the time from the acknowledgement of a change to its delivery to the connected devices. */
export class LatencyTracker {
  /** The newest acknowledged version of each chat. */
  readonly newestVersions = new Map<number, number>();
  /** The highest latency measured while not suspended, in milliseconds. */
  maxMs = 0;
  private readonly acknowledgedAt = new Map<string, number>();
  private resumedAt = 0;
  private isSuspended = false;

  recordAcknowledgement(chatId: number, version: number): void {
    this.acknowledgedAt.set(`${chatId} ${version}`, Date.now());
    this.newestVersions.set(chatId, Math.max(version, this.newestVersions.get(chatId) ?? 0));
  }

  /** Stops measuring until `resume`, while a fault is active. */
  suspend(): void {
    this.isSuspended = true;
  }

  resume(): void {
    this.isSuspended = false;
    this.resumedAt = Date.now();
  }

  /**
   * Records the delivery of a change.
   * @param liveSince since when the connection must receive every change
   * @returns the latency in milliseconds if it exceeds the maximum
   */
  recordDelivery(chatId: number, version: number, liveSince: number): number | undefined {
    const acknowledgedAt = this.acknowledgedAt.get(`${chatId} ${version}`);
    if (acknowledgedAt === undefined || this.isSuspended) return undefined;
    const latencyMs = Date.now() - Math.max(acknowledgedAt, this.resumedAt, liveSince);
    this.maxMs = Math.max(this.maxMs, latencyMs);
    return latencyMs > maxLatencyMs ? latencyMs : undefined;
  }

  /** Waits at most the maximum latency for a condition. @returns whether it became true */
  async waitUntil(condition: () => boolean): Promise<boolean> {
    const deadline = Date.now() + maxLatencyMs;
    while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
    return condition();
  }
}
