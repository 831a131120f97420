const minMs = 500;
const maxMs = 30_000;

/**
 * Exponential back-off with full jitter: a random wait below a bound that doubles with each attempt.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog.
 */
export class Backoff {
  private attempts = 0;

  /** The time to wait before the next attempt, in milliseconds. */
  next(): number {
    const bound = Math.min(maxMs, minMs * 2 ** this.attempts++);
    return Math.random() * bound;
  }

  reset(): void {
    this.attempts = 0;
  }
}

/** Resolves after `ms`, or as soon as `interrupted` does. */
export function wait(ms: number, interrupted?: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void interrupted?.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
