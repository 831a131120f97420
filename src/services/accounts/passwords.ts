import { createRequire } from "node:module";
import bcrypt from "bcrypt";
import { AppError } from "../../errors.ts";
import { Semaphore } from "../../concurrency/semaphore.ts";

const require = createRequire(import.meta.url);
const wellKnown: ReadonlySet<string> = new Set(require("popular-passwords") as string[]);

/** What bcrypt works on where only the time that it takes is wanted. */
const nobodysPassword = "nobody has this password";

/** Counts an attempt; rejects when it is one too many. */
type Count = () => Promise<void>;

/**
 * Hashes and compares passwords. Each costs a quarter of a second of a core by design, so only some run at a time, a
 * bounded number waits, and the rest is refused at once.
 */
export class Passwords {
  private readonly semaphore: Semaphore;
  /** Who runs, waits, or is about to. */
  private placesTaken = 0;
  private dummyHash: Promise<string> | undefined;

  /** @param options.cost bcrypt's work factor: each step doubles the time */
  constructor(private readonly options: { cost: number; concurrency: number; maxQueued: number }) {
    this.semaphore = new Semaphore(options.concurrency);
  }

  /**
   * @param ahead how many asked before and have not taken their place yet
   * @throws AppError of kind "unavailable" while as many wait as may
   */
  assertCapacity(ahead = 0): void {
    const { concurrency, maxQueued } = this.options;
    if (this.placesTaken + ahead < concurrency + maxQueued) return;
    throw new AppError("unavailable", "Too many log-ins at once. Try again.", { retryAfterMs: 2000 });
  }

  /** @throws AppError of kind "validation" for a password that attackers try first */
  async hash(password: string): Promise<string> {
    if (wellKnown.has(password.toLowerCase())) {
      throw new AppError("validation", "The password is one of the well-known ones; choose another");
    }
    return this.inTurn(() => bcrypt.hash(password, this.options.cost));
  }

  async matches(password: string, hash: string, count: Count): Promise<boolean> {
    return this.inTurn(() => bcrypt.compare(password, hash), count);
  }

  /**
   * Who is found, if this is their password. Where nobody is found, it takes the same time to say so. The search, too,
   * waits for its turn: what is refused has cost no query. A hash that was made with less work than is asked today is
   * made anew, which can be done only now, while the password is known.
   */
  async whose<T extends { passwordHash: string | null }>(
    password: string,
    {
      count,
      find,
      renew,
    }: { count: Count; find: () => Promise<T | null>; renew: (found: T, hash: string) => Promise<T> },
  ): Promise<T | undefined> {
    return this.inTurn(async () => {
      this.dummyHash ??= bcrypt.hash(nobodysPassword, this.options.cost);
      const dummyHash = await this.dummyHash;
      const found = await find();
      const matches = await bcrypt.compare(password, found?.passwordHash ?? dummyHash);
      if (!found?.passwordHash) return undefined;
      const { cost } = this.options;
      const spent = bcrypt.getRounds(found.passwordHash);
      if (!matches) {
        await this.makeUpFor(spent);
        return undefined;
      }
      return spent >= cost ? found : renew(found, await bcrypt.hash(password, cost));
    }, count);
  }

  /** Works as long as a hash of today takes longer than one of `spent`: each step is as much as all before it, and one. */
  private async makeUpFor(spent: number): Promise<void> {
    for (let cost = spent; cost < this.options.cost; cost++) await bcrypt.hash(nobodysPassword, cost);
  }

  /** Counts only what has a place, and gives up the place of what is one too many without a wait. */
  private async inTurn<T>(work: () => Promise<T>, count?: Count): Promise<T> {
    this.assertCapacity();
    this.placesTaken++;
    try {
      await count?.();
      return await this.semaphore.run(work);
    } finally {
      this.placesTaken--;
    }
  }
}
