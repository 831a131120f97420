import { type CloseReason, closeCodes } from "../contract/close-codes.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";

const windowMs = 10_000;

/** The number of frames of each kind within ten seconds at which the socket is closed. */
export interface FloodLimits {
  /** Malformed frames: the client is considered broken. */
  malformed: number;
  /** Frames rejected with RATE_LIMITED: the client ignores the rate limit. */
  rateLimited: number;
  /** Pings, and pongs without a ping. */
  control: number;
}

/** Counts occurrences within the last ten seconds. */
class SlidingWindow {
  private readonly times: number[] = [];

  constructor(private readonly max: number) {}

  /** Records one occurrence. Returns whether there were `max` of them within the window. */
  record(now = performance.now()): boolean {
    if (this.max === Number.POSITIVE_INFINITY) return false;
    this.times.push(now);
    if (this.times.length < this.max) return false;
    return now - (this.times.shift() ?? now) <= windowMs;
  }
}

/** Applies the rate limits to one socket, and disconnects clients that exceed them persistently. */
export class FloodGuard {
  private readonly malformed: SlidingWindow;
  private readonly rateLimited: SlidingWindow;
  private readonly control: SlidingWindow;
  private lastCount = Promise.resolve();
  /** When a request of each type with an allowance was last left uncounted, in milliseconds of the monotonic clock. */
  private readonly lastUncounted = new Map<string, number>();

  constructor(
    private readonly options: {
      limits: FloodLimits;
      /** Counts one request of the user. Rejects if it exceeds the limit. */
      consume: (limit: RateLimitName) => Promise<void>;
      /** Closes the socket after all its requests have been answered. */
      disconnect: (code: number, reason: CloseReason) => void;
    },
  ) {
    const { malformed, rateLimited, control } = options.limits;
    this.malformed = new SlidingWindow(malformed);
    this.rateLimited = new SlidingWindow(rateLimited);
    this.control = new SlidingWindow(control);
  }

  /** Records a frame that is not a valid request of a known type. */
  recordMalformed(): void {
    if (this.malformed.record()) this.options.disconnect(closeCodes.malformed, "too many malformed frames");
  }

  /** Records a ping or an unsolicited pong. They have no rate limit of their own, but cost work. */
  recordControl(): void {
    if (this.control.record()) this.options.disconnect(closeCodes.flood, "too many pings");
  }

  /** Whether a request counts against no limit: its type allows one within a time, and this is the first one in it. */
  isUncounted({ type, uncountedEveryMs }: { type: string; uncountedEveryMs?: number | undefined }): boolean {
    if (uncountedEveryMs === undefined) return false;
    const now = performance.now();
    if (now - (this.lastUncounted.get(type) ?? Number.NEGATIVE_INFINITY) < uncountedEveryMs) return false;
    this.lastUncounted.set(type, now);
    return true;
  }

  /**
   * Counts a request. Requests are counted one after another: the counter may respond out of order, and sends must keep
   * their order.
   * @throws AppError of kind "rateLimited"
   */
  admit(limit: RateLimitName): Promise<void> {
    const count = this.lastCount.then(() => this.options.consume(limit));
    this.lastCount = count.catch(() => {
      if (this.rateLimited.record()) this.options.disconnect(closeCodes.flood, "too many requests");
    });
    return count;
  }
}
