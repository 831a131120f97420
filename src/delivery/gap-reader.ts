import { exponentialBackoff } from "../concurrency/backoff.ts";
import type { Logger } from "../logger.ts";
import { type StoredPage, withRecipients } from "./recipients.ts";
import type { Sequencer } from "./sequencer.ts";

/** What delivery reads from the store. */
export interface ChangeStore {
  /**
   * Returns the changes of a chat after a version, in order, at most `limit` of them; if there are more, the system
   * messages among the rest; and the members of the chat after all of them.
   */
  changesAfter(chatId: number, version: number, limit: number): Promise<StoredPage>;
  /** Settles when no transaction that changes this chat is running. */
  waitForWriters(chatId: number): Promise<void>;
  /**
   * Returns the version of an untracked chat before any change that may not have been delivered here. Needed only if
   * other processes write too: their changes may not have arrived yet.
   */
  startVersion?: (chatId: number) => Promise<number>;
  /** Whether an error means that the store is unavailable, which the store itself logs. */
  isOutage?: (error: unknown) => boolean;
}

const rowsPerRead = 500;
const retryDelayMs = exponentialBackoff({ firstMs: 200, maxMs: 5000 });

/** Reads the missing changes of one chat from the store and delivers them, until none are missing. */
export class GapReader {
  private endPause = (): void => {};

  constructor(
    private readonly options: {
      chatId: number;
      sequencer: Sequencer;
      /** The writes of this process that may change the chat and have not ended. */
      writes: ReadonlySet<Promise<void>>;
      store: ChangeStore;
      isStopped: () => boolean;
      /** Called when nothing is missing any more, synchronously after the last look. */
      onEnd: () => void;
      log: Logger;
    },
  ) {}

  /** Never rejects: keeps trying while the store is unavailable. */
  async run(): Promise<void> {
    const { sequencer, isStopped, log, chatId, onEnd, store } = this.options;
    // What is missing is usually a write of this process, which publishes it itself.
    await this.writesEnded();
    for (let attempt = 0; sequencer.needsRead && !isStopped(); ) {
      try {
        await this.readPage();
      } catch (error) {
        if (!store.isOutage?.(error))
          log.warn({ err: error, chatId }, "changes could not be read for delivery; trying again");
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
    const { chatId, sequencer, store } = this.options;
    const wasInDoubt = sequencer.takeDoubt();
    try {
      if (wasInDoubt) await store.waitForWriters(chatId);
      if (!sequencer.hasPosition) {
        sequencer.startAt((await store.startVersion?.(chatId)) ?? sequencer.lastDelivered);
      }
      const latestKnown = sequencer.latestKnownVersion();
      const page = await store.changesAfter(chatId, sequencer.lastDelivered, rowsPerRead);
      // The page may hold a write of this process that is about to be published with its requester.
      await this.writesEnded();
      const isLastPage = page.messages.length < rowsPerRead;
      if (wasInDoubt && !isLastPage) sequencer.noteDoubt();
      sequencer.applyRead(withRecipients(page), isLastPage ? latestKnown : 0);
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
