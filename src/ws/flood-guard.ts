import { closeCodes } from "../contract/close-codes.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";

const windowMs = 10_000;

/** How many frames of a kind, within ten seconds, are too many. */
export interface FloodLimits {
  /** Frames that cannot even be refused by name: the client is taken for a broken one. */
  malformed: number;
  /** Frames that were refused for their number: the client is taken for one that does not stop. */
  refused: number;
  /** Pings and pongs. */
  control: number;
}

/** Whether something has happened too often within the window that ends now. */
class Tally {
  private readonly times: number[] = [];

  constructor(private readonly most: number) {}

  /** Notes it once more. */
  isFull(now = performance.now()): boolean {
    if (this.most === Number.POSITIVE_INFINITY) return false;
    this.times.push(now);
    if (this.times.length < this.most) return false;
    return now - (this.times.shift() ?? now) <= windowMs;
  }
}

/** What one socket may ask of the server, and when it is shown out for not stopping. */
export class FloodGuard {
  private readonly malformed: Tally;
  private readonly refused: Tally;
  private readonly control: Tally;
  private turn = Promise.resolve();

  constructor(
    private readonly options: {
      limits: FloodLimits;
      /** Counts one request of this person; rejects when it is one too many. */
      spend: (limit: RateLimitName) => Promise<void>;
      /** Closes the socket once everything it has asked is answered. */
      dismiss: (code: number, reason: string) => void;
    },
  ) {
    const { malformed, refused, control } = options.limits;
    this.malformed = new Tally(malformed);
    this.refused = new Tally(refused);
    this.control = new Tally(control);
  }

  /** A frame came that names no type or breaks the rules of a frame. */
  noteMalformed(): void {
    if (this.malformed.isFull()) this.options.dismiss(closeCodes.malformed, "too many malformed frames");
  }

  /** A ping or a pong came: it asks for nothing that has a limit of its own, but for work. */
  noteControl(): void {
    if (this.control.isFull()) this.options.dismiss(closeCodes.flood, "too many pings");
  }

  /** Counts a request. One after the other, since what counts may answer out of turn, and sends must keep their order. */
  admit(limit: RateLimitName): Promise<void> {
    const counted = this.turn.then(() => this.options.spend(limit));
    this.turn = counted.catch(() => {
      if (this.refused.isFull()) this.options.dismiss(closeCodes.flood, "too many requests");
    });
    return counted;
  }
}
