import { isIPv6 } from "node:net";
import {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from "rate-limiter-flexible";
import { AppError } from "../../errors.ts";

/** `burst` at once, then `amount` every `seconds`. */
export interface Rate {
  burst: number;
  amount: number;
  seconds: number;
}

/** What is limited; the name says for whom. */
export type RateLimitName =
  | "logInsPerAccount"
  | "logInsPerAddress"
  | "passwordChecksPerUser"
  | "reconnectsPerAddress"
  | "messagesPerUser"
  | "requestsPerUser";

/** A connected client of `@redis/client`. */
export interface RedisClient {
  readonly isReady: boolean;
}

/** How many times slower than at `amount / seconds` the burst comes back, so that it adds a tenth to the rate at most. */
const burstReturnsSlower = 10;

/** The longest window in seconds: a timer of Node's cannot take longer, and would end at once instead. */
const longestWindow = Math.floor((2 ** 31 - 1) / 1000);

/** How long Redis may take, in milliseconds, before this process counts by itself. */
const redisWithinMs = 250;

type Counter = RateLimiterMemory | RLWrapperTimeouts;

interface Limiter {
  bucket: BurstyRateLimiter;
  counters: readonly Counter[];
}

/** Who may do how much of what. Counted in Redis for all processes, or, without Redis or while it is away, in each one. */
export class RateLimits {
  private readonly limiters: ReadonlyMap<string, Limiter>;

  /**
   * @param options.rates nothing is limited without them
   * @param options.prefix of the keys in Redis
   */
  constructor(
    private readonly options: {
      rates: Readonly<Record<RateLimitName, Rate>> | undefined;
      redis?: RedisClient | undefined;
      prefix?: string;
    },
  ) {
    const rates = Object.entries(options.rates ?? {});
    this.limiters = new Map(rates.map(([name, rate]) => [name, this.limiterOf(name, rate)]));
  }

  /**
   * Counts one.
   * @throws AppError of kind "rateLimited" when it is one too many, with the time after which there is room again
   */
  async consume(name: RateLimitName, key: string | number): Promise<void> {
    try {
      await this.limiters.get(name)?.bucket.consume(key);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterMs = Math.max(1, refusal.msBeforeNext);
      const seconds = Math.ceil(retryAfterMs / 1000);
      throw new AppError("rateLimited", `Too much at once. Try again in ${seconds} s.`, { retryAfterMs });
    }
  }

  /** Forgets what was counted. */
  async reset(name: RateLimitName, key: string | number): Promise<void> {
    await Promise.all(this.limiters.get(name)?.counters.map((counter) => counter.delete(key)) ?? []);
  }

  /** The rate, in windows of `seconds`, and what a burst may take beyond it. */
  private limiterOf(name: string, { burst, amount, seconds }: Rate): Limiter {
    const beyond = burst - amount;
    const rate = this.counter(`${name}:rate`, amount, seconds);
    const reserve = this.counter(
      `${name}:burst`,
      beyond,
      Math.ceil((burstReturnsSlower * seconds * beyond) / amount) || 1,
    );
    return { bucket: new BurstyRateLimiter(rate, reserve), counters: [rate, reserve] };
  }

  private counter(name: string, points: number, seconds: number): Counter {
    const { redis, prefix = "messenger" } = this.options;
    const settings = { keyPrefix: `${prefix}:limit:${name}`, points, duration: Math.min(seconds, longestWindow) };
    const inProcess = new RateLimiterMemory(settings);
    if (!redis) return inProcess;
    return new RLWrapperTimeouts({
      limiter: new RateLimiterRedis({
        ...settings,
        storeClient: redis,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
      }),
      timeoutMs: redisWithinMs,
      insuranceLimiter: inProcess,
    });
  }
}

/**
 * By what an address is counted: itself, and for IPv6 its network of 64 bits, of which one customer has all the
 * addresses.
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
