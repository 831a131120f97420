import { Semaphore } from "../../concurrency/semaphore.ts";
import type { RateLimitName } from "../../domain/rate-limit.ts";
import type { RateLimits } from "../limits/rate-limits.ts";

/** A log-in: the account by its e-mail key, and the network address of the client. */
export interface LogInAttempt {
  account: string;
  /** The keys under which the account can be stored. */
  emailKeys: readonly string[];
  address: string;
}

/** How many rejections look for a session of the account at the same time; a flood of them must not fill the database. */
const lookUpConcurrency = 1;

/**
 * Limits guesses of passwords without letting a stranger lock a user out. Each attempt counts for its account together
 * with its address. Failed ones also count for the account as a whole and for the address as a whole; these two limits
 * do not apply to an account at an address where it has an active session. Successful ones count for the account and for the
 * address.
 */
export class LogInLimits {
  private readonly lookUps = new Semaphore(lookUpConcurrency);

  constructor(
    private readonly options: {
      limits: RateLimits;
      /** Whether the account has an active session at this address. */
      isKnownAddress: (attempt: LogInAttempt) => Promise<boolean>;
    },
  ) {}

  /**
   * Rejects an attempt that no limit allows, before it takes a place in the queue. Counts nothing.
   * @throws AppError of kind "rateLimited"
   */
  async check(attempt: LogInAttempt): Promise<void> {
    const { limits } = this.options;
    const { account, address } = attempt;
    const peek = async (name: RateLimitName, key: string) => ({ name, waitMs: await limits.peek(name, key) });
    const [pair, own, office, everywhere, shared] = await Promise.all([
      peek("logInsPerAccount", pairOf(attempt)),
      peek("successfulLogInsPerAccount", account),
      peek("successfulLogInsPerAddress", address),
      peek("logInsPerAccountEverywhere", account),
      peek("logInsPerAddress", address),
    ]);
    const owners = longest([pair, own, office]);
    if (owners) throw limits.rejection(owners.name, owners.waitMs);
    const strangers = longest([everywhere, shared]);
    if (strangers && !(await this.isKnown(attempt))) throw limits.rejection(strangers.name, strangers.waitMs);
  }

  /**
   * Counts an attempt before its password is compared, so that concurrent guesses gain nothing.
   * @throws AppError of kind "rateLimited"
   */
  count(attempt: LogInAttempt): Promise<void> {
    return this.options.limits.consume("logInsPerAccount", pairOf(attempt));
  }

  /** Takes back the count of an attempt whose password was not compared. */
  undo(attempt: LogInAttempt): Promise<void> {
    return this.options.limits.refund("logInsPerAccount", pairOf(attempt));
  }

  /**
   * To be called after a log-in. The counts of failures elsewhere stay: a guesser may have an account too. Successes have
   * limits of their own, because they cost as much as failures.
   */
  async succeeded(attempt: LogInAttempt): Promise<void> {
    const { limits } = this.options;
    const { account, address } = attempt;
    await Promise.all([
      limits.reset("logInsPerAccount", pairOf(attempt)),
      limits.count("successfulLogInsPerAccount", account),
      limits.count("successfulLogInsPerAddress", address),
    ]);
  }

  /** To be called after a wrong password. */
  async failed(attempt: LogInAttempt): Promise<void> {
    if (await this.isKnown(attempt)) return;
    const { limits } = this.options;
    await Promise.all([
      limits.count("logInsPerAccountEverywhere", attempt.account),
      limits.count("logInsPerAddress", attempt.address),
    ]);
  }

  private isKnown(attempt: LogInAttempt): Promise<boolean> {
    return this.lookUps.run(() => this.options.isKnownAddress(attempt));
  }
}

/** Of limits that are exceeded, the one with the longest wait. */
const longest = <Limit extends { waitMs: number }>(limits: readonly Limit[]): Limit | undefined =>
  limits.filter(({ waitMs }) => waitMs > 0).sort((a, b) => b.waitMs - a.waitMs)[0];

const pairOf = ({ account, address }: LogInAttempt): string => `${address} ${account}`;
