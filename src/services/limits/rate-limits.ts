import { isIPv6 } from "node:net";
import {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from "rate-limiter-flexible";
import type { Rate, RateLimitName } from "../../domain/rate-limit.ts";
import { AppError } from "../../errors.ts";

/** A connected client of `@redis/client`. */
export interface RedisClient {
  readonly isReady: boolean;
}

/** The burst refills this many times slower than `amount / seconds`, so it adds at most a tenth to the rate. */
const burstRefillFactor = 10;

/** Longest window, in seconds: a longer timer of Node would fire at once. */
const maxWindowSeconds = Math.floor((2 ** 31 - 1) / 1000);

/** How long Redis may take, in milliseconds, before this process counts on its own. */
const redisTimeoutMs = 250;

type Counter = RateLimiterMemory | RLWrapperTimeouts;

interface Limiter {
  bucket: BurstyRateLimiter;
  counters: readonly Counter[];
}

/** Rate limits. Counted in Redis for all processes; in each process without Redis or while it is unavailable. */
export class RateLimits {
  private readonly limiters: ReadonlyMap<string, Limiter>;

  /**
   * @param options.rates undefined disables all limits
   * @param options.prefix prefix of the keys in Redis
   */
  constructor(
    private readonly options: {
      rates: Readonly<Record<RateLimitName, Rate>> | undefined;
      redis?: RedisClient | undefined;
      prefix?: string;
    },
  ) {
    const rates = Object.entries(options.rates ?? {});
    this.limiters = new Map(rates.map(([name, rate]) => [name, this.createLimiter(name, rate)]));
  }

  /**
   * Counts one action.
   * @throws AppError of kind "rateLimited" if it exceeds the limit, with the time to wait
   */
  async consume(name: RateLimitName, key: string | number): Promise<void> {
    try {
      await this.limiters.get(name)?.bucket.consume(key);
    } catch (rejection) {
      if (!(rejection instanceof RateLimiterRes)) throw rejection;
      const retryAfterMs = Math.max(1, rejection.msBeforeNext);
      const seconds = Math.ceil(retryAfterMs / 1000);
      throw new AppError("rateLimited", `Rate limit exceeded. Try again in ${seconds} s.`, { retryAfterMs });
    }
  }

  /** Resets the count. */
  async reset(name: RateLimitName, key: string | number): Promise<void> {
    await Promise.all(this.limiters.get(name)?.counters.map((counter) => counter.delete(key)) ?? []);
  }

  /** Combines the rate, in windows of `seconds`, with a reserve for bursts beyond it. */
  private createLimiter(name: string, { burst, amount, seconds }: Rate): Limiter {
    const reserveSize = burst - amount;
    const rate = this.createCounter(`${name}:rate`, amount, seconds);
    const reserve = this.createCounter(
      `${name}:burst`,
      reserveSize,
      Math.ceil((burstRefillFactor * seconds * reserveSize) / amount) || 1,
    );
    return { bucket: new BurstyRateLimiter(rate, reserve), counters: [rate, reserve] };
  }

  private createCounter(name: string, points: number, seconds: number): Counter {
    const { redis, prefix = "messenger" } = this.options;
    const settings = { keyPrefix: `${prefix}:limit:${name}`, points, duration: Math.min(seconds, maxWindowSeconds) };
    const localCounter = new RateLimiterMemory(settings);
    if (!redis) return localCounter;
    return new RLWrapperTimeouts({
      limiter: new RateLimiterRedis({
        ...settings,
        storeClient: redis,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
      }),
      timeoutMs: redisTimeoutMs,
      insuranceLimiter: localCounter,
    });
  }
}

/**
 * Returns the key under which an address is counted: the address itself, or for IPv6 its /64 network, which usually
 * belongs to a single customer.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped || !isIPv6(address)) return mapped ?? address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  return `${[...groups, ...Array<string>(zeros).fill("0"), ...after].slice(0, 4).join(":")}::/64`;
}
