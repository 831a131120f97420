import { createRequire } from "node:module";
import bcrypt from "bcrypt";
import { Semaphore } from "../../concurrency/semaphore.ts";
import { AppError } from "../../errors.ts";

const require = createRequire(import.meta.url);
const commonPasswords: ReadonlySet<string> = new Set(require("popular-passwords") as string[]);

/** Input for hashes that only spend time. */
const dummyPassword = "nobody has this password";

/** Counts an attempt; rejects if it exceeds the rate limit. */
type CountAttempt = () => Promise<void>;

export interface PasswordOptions {
  /** bcrypt's work factor: each step doubles the time. */
  cost: number;
  /** Operations at the same time. */
  concurrency: number;
  /** Operations that wait; further ones are rejected. */
  maxQueued: number;
}

/**
 * Hashes and verifies passwords. Each operation takes about a quarter of a second of CPU by design. Concurrency and the
 * queue are limited; further operations are rejected at once.
 */
export class Passwords {
  private readonly semaphore: Semaphore;
  /** Operations that run, wait, or count their attempt. */
  private occupied = 0;
  private dummyHash: Promise<string> | undefined;

  constructor(private readonly options: PasswordOptions) {
    this.semaphore = new Semaphore(options.concurrency);
  }

  /**
   * @param queuedAhead earlier requests that have not begun their operation
   * @throws AppError of kind "unavailable" if the queue is full
   */
  assertCapacity(queuedAhead = 0): void {
    const { concurrency, maxQueued } = this.options;
    if (this.occupied + queuedAhead < concurrency + maxQueued) return;
    throw new AppError("unavailable", "Too many log-ins at once. Try again.", { retryAfterMs: 2000 });
  }

  /** @throws AppError of kind "validation" for a common password */
  async hash(password: string): Promise<string> {
    if (commonPasswords.has(password.toLowerCase())) {
      throw new AppError("validation", "The password is too common; choose another");
    }
    return this.enqueue(() => bcrypt.hash(password, this.options.cost));
  }

  async matches(password: string, hash: string, count: CountAttempt): Promise<boolean> {
    return this.enqueue(() => bcrypt.compare(password, hash), count);
  }

  /**
   * Finds an account and returns it if the password is correct. Takes the same time whether the account exists or not.
   * The lookup is queued too, so a rejected request runs no query. A hash with a lower cost than configured is renewed,
   * which is possible only now, while the password is known.
   */
  async verifyAccount<T extends { passwordHash: string | null }>(
    password: string,
    {
      count,
      find,
      renew,
    }: { count: CountAttempt; find: () => Promise<T | null>; renew: (found: T, hash: string) => Promise<T> },
  ): Promise<T | undefined> {
    return this.enqueue(async () => {
      this.dummyHash ??= bcrypt.hash(dummyPassword, this.options.cost);
      const dummyHash = await this.dummyHash;
      const found = await find();
      const matches = await bcrypt.compare(password, found?.passwordHash ?? dummyHash);
      if (!found?.passwordHash) return undefined;
      const { cost } = this.options;
      const storedCost = bcrypt.getRounds(found.passwordHash);
      if (!matches) {
        await this.equalizeCost(storedCost);
        return undefined;
      }
      return storedCost >= cost ? found : renew(found, await bcrypt.hash(password, cost));
    }, count);
  }

  /** Spends the time that a hash of the configured cost takes longer: 2^n - 2^m = 2^m + ... + 2^(n-1). */
  private async equalizeCost(storedCost: number): Promise<void> {
    for (let cost = storedCost; cost < this.options.cost; cost++) await bcrypt.hash(dummyPassword, cost);
  }

  /** Counts the attempt only once it has a place in the queue; an attempt over the rate limit frees it at once. */
  private async enqueue<T>(operation: () => Promise<T>, count?: CountAttempt): Promise<T> {
    this.assertCapacity();
    this.occupied++;
    try {
      await count?.();
      return await this.semaphore.run(operation);
    } finally {
      this.occupied--;
    }
  }
}
