import { isIPv6 } from "node:net";
import type { Rate, RateLimitName } from "../../domain/rate-limit.ts";
import { AppError } from "../../errors.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import { LocalLimiter } from "./local-limiter.ts";
import { SharedLimiter } from "./shared-limiter.ts";

/** Redis, as far as rate limits need it. */
export interface RedisCounters {
  /** A client of `@redis/client`. */
  readonly client: object;
  /** Runs a command, or the fallback if Redis is unavailable or does not answer in time. */
  write<T>(command: () => Promise<T>, fallback: () => T | Promise<T>): Promise<T>;
}

interface Limiter {
  /** Counts while Redis is unavailable, or if there is none. */
  local: LocalLimiter;
  shared: SharedLimiter | undefined;
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
      redis?: RedisCounters | undefined;
      prefix?: string;
      metrics?: Pick<Metrics, "rateLimited"> | undefined;
    },
  ) {
    const { rates, redis, prefix = "messenger" } = options;
    const limiters = Object.entries(rates ?? {}).map(([name, rate]): [string, Limiter] => [
      name,
      {
        local: new LocalLimiter(rate),
        shared: redis && new SharedLimiter(redis.client, `${prefix}:limit:${name}`, rate),
      },
    ]);
    this.limiters = new Map(limiters);
  }

  /**
   * Counts one action.
   * @throws AppError of kind "rateLimited" if it exceeds the limit, with the time to wait
   */
  async consume(name: RateLimitName, key: string | number): Promise<void> {
    const retryAfterMs = await this.count(name, key);
    if (retryAfterMs > 0) throw this.rejection(name, retryAfterMs);
  }

  /** Makes the error for an action that exceeds a limit, and counts it for the metrics. */
  rejection(name: RateLimitName, waitMs: number): AppError {
    this.options.metrics?.rateLimited.add(name);
    const retryAfterMs = Math.max(1, Math.ceil(waitMs));
    const seconds = Math.ceil(retryAfterMs / 1000);
    return new AppError("rateLimited", `Rate limit exceeded. Try again in ${seconds} s.`, { retryAfterMs });
  }

  /**
   * Counts one action, whether or not it exceeds the limit.
   * @returns 0, or the milliseconds to wait if it does
   */
  count(name: RateLimitName, key: string | number): Promise<number> {
    return this.ask(name, (limiter) => limiter.consume(key));
  }

  /** Counts the further cost of an action that has been allowed. The next actions wait for it. */
  async charge(name: RateLimitName, key: string | number, points: number): Promise<void> {
    await this.ask(name, async (limiter) => {
      await limiter.charge(key, points);
      return 0;
    });
  }

  /** Takes an action back that has been counted and was not performed. */
  async refund(name: RateLimitName, key: string | number): Promise<void> {
    await this.ask(name, async (limiter) => {
      await limiter.refund(key);
      return 0;
    });
  }

  /** The milliseconds to wait before the next action; 0 if it is allowed now. Counts nothing. */
  peek(name: RateLimitName, key: string | number): Promise<number> {
    return this.ask(name, (limiter) => limiter.peek(key));
  }

  /** Resets the count. */
  async reset(name: RateLimitName, key: string | number): Promise<void> {
    const { local, shared } = this.limiters.get(name) ?? {};
    local?.reset(key);
    if (shared)
      await this.options.redis?.write(
        () => shared.reset(key),
        () => {},
      );
  }

  private async ask(
    name: RateLimitName,
    question: (limiter: LocalLimiter | SharedLimiter) => number | Promise<number>,
  ): Promise<number> {
    const limiter = this.limiters.get(name);
    if (!limiter) return 0;
    const { local, shared } = limiter;
    const { redis } = this.options;
    if (!redis || !shared) return question(local);
    return redis.write(
      async () => question(shared),
      () => question(local),
    );
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
