import type { Rate } from "../../domain/rate-limit.ts";

/** Keys beyond this number: those unused for longest are forgotten, which resets their counts. */
const maxKeys = 200_000;

/**
 * Counts in this process: a token bucket that holds `burst` tokens and gets `amount` every `seconds`. It is measured by the
 * monotonic clock, so steps of the wall clock change nothing. For each key it stores only the time at which the bucket
 * will be full again (the generic cell rate algorithm).
 */
export class LocalLimiter {
  /** In milliseconds of the monotonic clock; the key unused for longest comes first. */
  private readonly fullAt = new Map<string | number, number>();
  private readonly msPerToken: number;
  private readonly capacityMs: number;

  constructor({ burst, amount, seconds }: Rate) {
    this.msPerToken = (seconds * 1000) / amount;
    this.capacityMs = burst * this.msPerToken;
  }

  /** The number of keys that are counted. */
  get size(): number {
    return this.fullAt.size;
  }

  /** Takes a token. @returns 0, or the milliseconds until there is one */
  consume(key: string | number): number {
    const waitMs = this.peek(key);
    if (waitMs > 0) return waitMs;
    this.charge(key, 1);
    return 0;
  }

  /** Takes tokens whether or not they are there: those missing have to come back before the next `consume`. */
  charge(key: string | number, tokens: number): void {
    const now = performance.now();
    const fullAt = Math.max(this.fullAt.get(key) ?? 0, now) + tokens * this.msPerToken;
    this.fullAt.delete(key);
    this.fullAt.set(key, fullAt);
    this.forgetOld(now);
  }

  /** Returns a token that was taken. */
  refund(key: string | number): void {
    if (this.fullAt.has(key)) this.charge(key, -1);
  }

  /** The milliseconds until there is a token; 0 if there is one now. */
  peek(key: string | number): number {
    const now = performance.now();
    const missingMs = Math.max(this.fullAt.get(key) ?? 0, now) - now + this.msPerToken;
    // Times are sums of fractions: a difference of a microsecond is none.
    const waitMs = missingMs - this.capacityMs;
    return waitMs > 0.001 ? waitMs : 0;
  }

  reset(key: string | number): void {
    this.fullAt.delete(key);
  }

  /** Each call forgets more keys than it can add. */
  private forgetOld(now: number): void {
    let count = 0;
    for (const [key, fullAt] of this.fullAt) {
      if (count++ === 2 || (fullAt > now && this.fullAt.size <= maxKeys)) return;
      this.fullAt.delete(key);
    }
  }
}
