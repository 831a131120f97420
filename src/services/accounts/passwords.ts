import { createRequire } from "node:module";
import bcrypt from "bcrypt";
import { type Preparation, RoundRobinQueue, type TaskOwner } from "../../concurrency/round-robin-queue.ts";
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

/** Counts an attempt, and takes it back if it loses its place in the queue. Rejects if it exceeds the rate limit. */
type CountedAttempt = Preparation;

/** Whom the operations of operators are done for. */
export const operator: TaskOwner = { address: "", account: "" };

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
 * queue are limited, and the queue is fair by address and account; operations without a place are rejected at once.
 */
export class Passwords {
  private readonly queue: RoundRobinQueue;
  private dummyHash: Promise<string> | undefined;

  constructor(private readonly options: PasswordOptions) {
    const { concurrency, maxQueued } = options;
    this.queue = new RoundRobinQueue({ concurrency, maxQueued, rejection: tooManyLogIns });
  }

  /** The number of operations that wait. */
  get queueLength(): number {
    return this.queue.length;
  }

  /**
   * @param queuedAhead earlier requests that have not begun their operation, by address
   * @throws AppError of kind "unavailable" if the queue has no place for this address
   */
  assertCapacity(address: string, queuedAhead: ReadonlyMap<string, number>): void {
    this.queue.assertCapacity(address, queuedAhead);
  }

  /**
   * @param chosen the e-mail address of the account, and the field with the password, if the user chose it; for whom
   * @throws AppError of kind "validation" for a common password and for the own e-mail address
   */
  async hash(password: string, chosen?: { email: string; field: string; owner: TaskOwner }): Promise<string> {
    const form = passwordForm(password);
    if (commonPasswords.has(form.toLowerCase())) {
      throw new AppError("validation", "The password is too common; choose another", { field: chosen?.field });
    }
    if (chosen && isOwnAddress(password, chosen.email)) {
      throw new AppError("validation", "The password must not be your e-mail address; choose another", {
        field: chosen.field,
      });
    }
    return this.queue.run(chosen?.owner ?? operator, () => bcrypt.hash(form, this.options.cost));
  }

  async matches(
    password: string,
    { hash, owner, attempt }: { hash: string; owner: TaskOwner; attempt: CountedAttempt },
  ): Promise<boolean> {
    return this.queue.run(owner, async () => (await findForm(password, hash)) !== undefined, attempt);
  }

  /**
   * Finds an account and returns it if the password is correct. Takes the same time whether the account exists or not.
   * The lookup is queued too, so a rejected request runs no query. A hash with a lower cost than configured, or of another
   * form of the password, is renewed, which is possible only now, while the password is known.
   */
  async verifyAccount<T extends { passwordHash: string | null }>(
    password: string,
    {
      owner,
      attempt,
      find,
      renew,
    }: {
      owner: TaskOwner;
      attempt: CountedAttempt;
      find: () => Promise<T | null>;
      renew: (found: T, hash: string) => Promise<T>;
    },
  ): Promise<T | undefined> {
    const verify = async () => {
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
    };
    return this.queue.run(owner, verify, attempt);
  }

  /** Spends the time that a hash of the configured cost takes longer: 2^n - 2^m = 2^m + ... + 2^(n-1). */
  private async equalizeCost(storedCost: number): Promise<void> {
    for (let cost = storedCost; cost < this.options.cost; cost++) await bcrypt.hash(dummyPassword, cost);
  }
}

const tooManyLogIns = () => new AppError("unavailable", "Too many log-ins at once. Try again.", { retryAfterMs: 2000 });
