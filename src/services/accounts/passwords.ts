import { createRequire } from "node:module";
import bcrypt from "bcrypt";
import { Semaphore } from "../../concurrency/semaphore.ts";
import { AppError } from "../../errors.ts";
import { emailKey, passwordForm } from "../../models/keys.ts";

const require = createRequire(import.meta.url);
const commonPasswords: ReadonlySet<string> = new Set(require("popular-passwords") as string[]);

/** Input for hashes that only spend time. */
const dummyPassword = "nobody has this password";

/** The input limit of bcrypt, in bytes; the rest would be ignored. */
const maxBytes = 72;

/**
 * The forms in which a password may have been hashed: the one that is hashed now, and, where it differs, the given one,
 * which earlier versions hashed.
 */
const formsOf = (password: string): string[] =>
  [...new Set([passwordForm(password), password])].filter((form) => Buffer.byteLength(form) <= maxBytes);

/** Returns the form of a password that a hash was made from. Takes the same time whether there is one or not. */
async function findForm(password: string, hash: string): Promise<string | undefined> {
  let found: string | undefined;
  for (const form of formsOf(password)) if (await bcrypt.compare(form, hash)) found ??= form;
  return found;
}

/** Whether a password is the e-mail address, or the part of it before the @. */
function isOwnAddress(password: string, email: string): boolean {
  const key = emailKey(password);
  return key === emailKey(email) || key === emailKey(email.split("@")[0] ?? "");
}

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

  /**
   * @param owner the e-mail address of the account, and the field with the password, if the user chose it
   * @throws AppError of kind "validation" for a common password and for the own e-mail address
   */
  async hash(password: string, owner?: { email: string; field: string }): Promise<string> {
    const form = passwordForm(password);
    if (commonPasswords.has(form.toLowerCase())) {
      throw new AppError("validation", "The password is too common; choose another", { field: owner?.field });
    }
    if (owner && isOwnAddress(password, owner.email)) {
      throw new AppError("validation", "The password must not be your e-mail address; choose another", {
        field: owner.field,
      });
    }
    return this.enqueue(() => bcrypt.hash(form, this.options.cost));
  }

  async matches(password: string, hash: string, count: CountAttempt): Promise<boolean> {
    return this.enqueue(async () => (await findForm(password, hash)) !== undefined, count);
  }

  /**
   * Finds an account and returns it if the password is correct. Takes the same time whether the account exists or not.
   * The lookup is queued too, so a rejected request runs no query. A hash with a lower cost than configured, or of another
   * form of the password, is renewed, which is possible only now, while the password is known.
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
      const form = await findForm(password, found?.passwordHash ?? dummyHash);
      if (!found?.passwordHash) return undefined;
      const { cost } = this.options;
      const storedCost = bcrypt.getRounds(found.passwordHash);
      if (form === undefined) {
        for (const _form of formsOf(password)) await this.equalizeCost(storedCost);
        return undefined;
      }
      if (storedCost >= cost && form === passwordForm(password)) return found;
      return renew(found, await bcrypt.hash(passwordForm(password), cost));
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
