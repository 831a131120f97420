import { exponentialBackoff } from "../concurrency/backoff.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { withRecipients } from "./recipients.ts";
import type { Sequencer } from "./sequencer.ts";
import type { StoreReads } from "./store-reads.ts";

/** For how long the requesters of changes wait while the store cannot be read, in milliseconds. */
const maxOutageMs = 8000;

const retryDelayMs = exponentialBackoff({ firstMs: 200, maxMs: 5000 });

/** The change is stored. A repeated request is answered with it. */
const notDelivered = (cause: unknown) =>
  new AppError("unavailable", "The database does not respond. Try again.", { retryAfterMs: 1000, cause });

/** Reads the missing changes of one chat from the store and delivers them, until none are missing. */
export class GapReader {
  private endPause = (): void => {};

  constructor(
    private readonly options: {
      chatId: number;
      sequencer: Sequencer;
      /** The writes of this process that may change the chat and have not ended. */
      writes: ReadonlySet<Promise<void>>;
      reads: StoreReads;
      /** Whether an error means that the store is unavailable, which the store itself logs. */
      isOutage: (error: unknown) => boolean;
      isStopped: () => boolean;
      /** Called when nothing is missing any more, synchronously after the last look. */
      onEnd: () => void;
      log: Logger;
    },
  ) {}

  /** Never rejects: keeps trying while the store is unavailable. */
  async run(): Promise<void> {
    const { sequencer, isStopped, isOutage, log, chatId, onEnd } = this.options;
    // What is missing is usually a write of this process, which publishes it itself.
    await this.writesEnded();
    const startedAt = performance.now();
    for (let attempt = 0; sequencer.needsRead && !isStopped(); ) {
      try {
        await this.readPage();
      } catch (error) {
        if (!isOutage(error)) log.warn({ err: error, chatId }, "changes could not be read for delivery; trying again");
        if (performance.now() - startedAt > maxOutageMs) sequencer.failPending(notDelivered(error));
        await this.pause(retryDelayMs(attempt++));
      }
    }
    // No await before this: a change accepted in between would wait for a read that never comes.
    onEnd();
    // Not empty only after a stop. The changes are committed, whether or not they can still be delivered.
    sequencer.releasePending();
  }

  /** Ends the pause after a failed read: the store has just responded. */
  retryNow(): void {
    this.endPause();
  }

  private async readPage(): Promise<void> {
    const { chatId, sequencer, reads, isStopped } = this.options;
    const wasInDoubt = sequencer.takeDoubt();
    try {
      if (wasInDoubt) await reads.waitForWriters(chatId);
      if (!sequencer.hasPosition) {
        sequencer.startAt((await reads.startVersion(chatId)) ?? sequencer.lastDelivered);
        if (!wasInDoubt && !sequencer.needsRead) return;
      }
      const latestKnown = sequencer.latestKnownVersion();
      const { page, isLast } = await reads.changesAfter({ chatId, after: sequencer.lastDelivered });
      // The page may hold a write of this process that is about to be published with its requester.
      await this.writesEnded();
      if (isStopped()) return;
      if (wasInDoubt && !isLast) sequencer.noteDoubt();
      sequencer.applyRead(withRecipients(page), isLast ? latestKnown : 0);
    } catch (error) {
      if (wasInDoubt) sequencer.noteDoubt();
      throw error;
    }
  }

  /** Settles when the writes that are running now have ended; later ones are not waited for. */
  private writesEnded(): Promise<unknown> {
    return Promise.all(this.options.writes);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.endPause = resolve;
      setTimeout(resolve, ms).unref();
    });
  }
}
