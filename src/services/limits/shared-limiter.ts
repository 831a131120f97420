import { BurstyRateLimiter, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Rate } from "../../domain/rate-limit.ts";

/** The burst refills this many times slower than `amount / seconds`, so it adds at most a tenth to the rate. */
const burstRefillFactor = 10;

/** Longest window, in seconds. */
const maxWindowSeconds = Math.floor((2 ** 31 - 1) / 1000);

/**
 * Counts in Redis, for all processes, in two fixed windows: the rate, in windows of `seconds`, and a reserve for bursts
 * beyond it. All methods reject if Redis does.
 */
export class SharedLimiter {
  private readonly rate: RateLimiterRedis;
  private readonly reserve: RateLimiterRedis;
  private readonly bucket: BurstyRateLimiter;
  private readonly windowMs: number;

  /**
   * @param client of `@redis/client`
   * @param keyPrefix prefix of the keys in Redis
   */
  constructor(client: object, keyPrefix: string, { burst, amount, seconds }: Rate) {
    const reserveSize = burst - amount;
    const createCounter = (name: string, points: number, duration: number) =>
      new RateLimiterRedis({
        keyPrefix: `${keyPrefix}:${name}`,
        points,
        duration: Math.min(duration, maxWindowSeconds),
        storeClient: client,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
      });
    this.rate = createCounter("rate", amount, seconds);
    this.reserve = createCounter(
      "burst",
      reserveSize,
      Math.ceil((burstRefillFactor * seconds * reserveSize) / amount) || 1,
    );
    this.bucket = new BurstyRateLimiter(this.rate, this.reserve);
    this.windowMs = seconds * 1000;
  }

  /** Counts one action. @returns 0, or the milliseconds to wait if it exceeds the limit */
  async consume(key: string | number): Promise<number> {
    const waitMs = await this.tryConsume(key);
    if (waitMs <= this.windowMs) return waitMs;
    // The clock of Redis has gone back, so its windows end late.
    await this.reset(key);
    return this.tryConsume(key);
  }

  /** The milliseconds to wait before the next action; 0 if it is allowed now. */
  async peek(key: string | number): Promise<number> {
    const [rate, reserve] = await Promise.all([this.rate.get(key), this.reserve.get(key)]);
    const isExhausted = (counter: RateLimiterRes | null) => counter !== null && counter.remainingPoints <= 0;
    if (!isExhausted(rate) || !(isExhausted(reserve) || this.reserve.points === 0)) return 0;
    const waitMs = Math.min(...[rate, reserve].flatMap((counter) => counter?.msBeforeNext ?? []));
    return waitMs > this.windowMs ? 0 : Math.max(1, waitMs);
  }

  /** Adds to what the current window has counted, without a check. */
  async charge(key: string | number, points: number): Promise<void> {
    await this.rate.penalty(key, points);
  }

  /** Takes one action back from what the current window has counted. */
  async refund(key: string | number): Promise<void> {
    if (((await this.rate.get(key))?.consumedPoints ?? 0) > 0) await this.rate.reward(key, 1);
  }

  async reset(key: string | number): Promise<void> {
    await Promise.all([this.rate.delete(key), this.reserve.delete(key)]);
  }

  private async tryConsume(key: string | number): Promise<number> {
    try {
      await this.bucket.consume(key);
      return 0;
    } catch (rejection) {
      if (rejection instanceof RateLimiterRes) return Math.max(1, rejection.msBeforeNext);
      throw rejection;
    }
  }
}
