import { closeCodes } from "../contract/close-codes.ts";
import type { LimitName } from "../services/limits.ts";

const windowMs = 10_000;
/** Frames in a window that cannot even be refused by name, at which the client is taken for a broken one. */
const mostMalformed = 20;
/** Frames in a window that were refused for their number, at which the client is taken for one that does not stop. */
const mostRefused = 100;

/** Whether something has happened too often within the window that ends now. */
class Tally {
  private readonly times: number[] = [];

  constructor(private readonly most: number) {}

  /** Notes it once more. */
  isFull(now = performance.now()): boolean {
    this.times.push(now);
    if (this.times.length < this.most) return false;
    return now - (this.times.shift() ?? now) <= windowMs;
  }
}

/** What one socket may ask of the server, and when it is shown out for not stopping. */
export class FloodGuard {
  private readonly malformed = new Tally(mostMalformed);
  private readonly refused = new Tally(mostRefused);
  private turn = Promise.resolve();

  constructor(
    private readonly options: {
      /** Counts one request of this person; rejects when it is one too many. */
      spend: (limit: LimitName) => Promise<void>;
      /** Closes the socket once everything it has asked is answered. */
      dismiss: (code: number, reason: string) => void;
    },
  ) {}

  /** A frame came that names no type or breaks the rules of a frame. */
  noteMalformed(): void {
    if (this.malformed.isFull()) this.options.dismiss(closeCodes.malformed, "too many malformed frames");
  }

  /** Counts a request. One after the other, since what counts may answer out of turn, and sends must keep their order. */
  admit(limit: LimitName): Promise<void> {
    const counted = this.turn.then(() => this.options.spend(limit));
    this.turn = counted.catch(() => {
      if (this.refused.isFull()) this.options.dismiss(closeCodes.flood, "too many requests");
    });
    return counted;
  }
}
