import { setImmediate as nextTurn } from "node:timers/promises";
import type { Transaction } from "sequelize";
import { isKnownNotCommitted, isRetryableRollback, violatedConstraint } from "../db/database-errors.ts";
import type { Delivery, EndWrite } from "../delivery/delivery.ts";
import type { Change } from "../domain/change.ts";
import { AppError } from "../errors.ts";
import type { Metrics } from "../metrics/metrics.ts";

/** What a write returns once it is committed. */
export interface Committed<Result> {
  result: Result;
  /** The changes to publish, in the order in which to publish them. */
  changes: readonly Change[];
}

/** A committed write whose changes have been published. */
export interface Published<Result> {
  result: Result;
  /** For each change, in order: settles when it has been delivered, and rejects if that takes too long; undefined if it has happened already. */
  deliveries: readonly (Promise<void> | undefined)[];
}

/** A chat and its version. */
export interface ChatVersion {
  chatId: number;
  version: number;
}

/**
 * Returns for each of these chats that exists a version up to which all changes have been delivered here, or were made
 * before this process started.
 */
export type ReadStartVersions = (
  chatIds: readonly number[],
  transaction?: Transaction,
) => Promise<readonly ChatVersion[]>;

/** What writes need to be published. */
export interface CommitOptions {
  delivery: Delivery;
  readStartVersions: ReadStartVersions;
  metrics?: Pick<Metrics, "deliveryLagSeconds" | "inDoubtCommits"> | undefined;
}

/** The commit may or may not have happened. If it has, its changes are read from the store and delivered. */
export class OutcomeUnknownError extends AppError {
  constructor(cause: unknown) {
    super("unavailable", "The outcome is unknown. Try again.", { cause });
  }
}

/** Two writes with the same client id met. The second finds the message of the first when it is retried. */
const clientIdConstraint = "messages_client_id_unique";
const maxAttempts = 4;
/** Changes published in one turn of the event loop, so that a commit of many chats does not delay everyone else. */
const changesPerTurn = 500;

const isRetryable = (error: unknown): boolean =>
  isRetryableRollback(error) || violatedConstraint(error) === clientIdConstraint;

/** One attempt of a write, between the first lock and the publication of its changes. */
export class WriteHandle {
  /** False as long as nothing can have been committed. */
  private mayBeCommitted = false;
  /** When the commit returned, in milliseconds of the monotonic clock; 0 where that is not measured. */
  committedAt = 0;
  private readonly ends: EndWrite[] = [];

  constructor(private readonly options: CommitOptions) {}

  /** Announces that chats are about to be changed, after delivery knows the version of each. */
  async begin(chatIds: readonly number[], transaction?: Transaction): Promise<void> {
    const { delivery, readStartVersions } = this.options;
    const untracked = chatIds.filter((chatId) => !delivery.isTracked(chatId));
    const starts = untracked.length > 0 ? await readStartVersions(untracked, transaction) : [];
    for (const { chatId, version } of starts) delivery.track(chatId, version);
    this.ends.push(delivery.beginWrite(chatIds));
  }

  /** The same for a chat that this write has created. */
  beginCreated(chatId: number): void {
    const { delivery } = this.options;
    delivery.track(chatId, 0);
    this.ends.push(delivery.beginWrite([chatId]));
  }

  /** Runs the statement that commits. If anything fails before it, nothing has been committed. */
  async commit<T>(statement: () => Promise<T>): Promise<T> {
    this.mayBeCommitted = true;
    try {
      const result = await statement();
      if (this.options.metrics) this.committedAt = performance.now();
      return result;
    } catch (error) {
      this.mayBeCommitted = !isKnownNotCommitted(error);
      throw error;
    }
  }

  /** Ends the attempt after its changes were published. */
  succeed(): void {
    for (const end of this.ends) end({ inDoubt: false });
  }

  /** Ends the attempt after a failure, and returns the error to throw. */
  fail(error: unknown): unknown {
    for (const end of this.ends) end({ inDoubt: this.mayBeCommitted });
    if (!this.mayBeCommitted) return error;
    this.options.metrics?.inDoubtCommits.add();
    return new OutcomeUnknownError(error);
  }
}

/**
 * The one way to change chats. It announces to delivery which chats a write may change, publishes the changes after the commit
 * and only then, retries writes that the database rolled back for another one, and has delivery check the store for
 * commits whose outcome is unknown.
 */
export class Committer {
  constructor(private readonly options: CommitOptions) {}

  /**
   * Runs a write and publishes its changes.
   * @param chatIds the chats it may change, as far as they are known beforehand; it announces others through the handle
   * @param write must commit through `WriteHandle.commit`; called again if the database rolled it back for another one
   * @throws OutcomeUnknownError if it may have been committed; any other error means that it was not
   */
  async commit<Result>(
    chatIds: readonly number[],
    write: (handle: WriteHandle) => Promise<Committed<Result>>,
  ): Promise<Published<Result>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.attempt(chatIds, write);
      } catch (error) {
        if (attempt === maxAttempts || !isRetryable(error)) throw error;
      }
    }
  }

  /** Whether the next commit of this chat reads its version first. */
  isTracked(chatId: number): boolean {
    return this.options.delivery.isTracked(chatId);
  }

  /** Does for tracked chats what a commit does for others, so that both take the same time. */
  async readVersions(chatIds: readonly number[]): Promise<void> {
    await this.options.readStartVersions(chatIds);
  }

  /** Notes that a message was found in the store: its commit may have been in doubt, and the message not delivered. */
  noteStored(message: { chatId: number; version: number }): void {
    this.options.delivery.advanceTo(message);
  }

  private async attempt<Result>(
    chatIds: readonly number[],
    write: (handle: WriteHandle) => Promise<Committed<Result>>,
  ): Promise<Published<Result>> {
    const { delivery, metrics } = this.options;
    const handle = new WriteHandle(this.options);
    try {
      if (chatIds.length > 0) await handle.begin(chatIds);
      const { result, changes } = await write(handle);
      const deliveries: (Promise<void> | undefined)[] = [];
      for (const [index, change] of changes.entries()) {
        if (index > 0 && index % changesPerTurn === 0) await nextTurn();
        const delivered = delivery.publish(change);
        deliveries.push(delivered);
        if (metrics) observeLag(metrics, handle.committedAt, delivered);
      }
      handle.succeed();
      return { result, deliveries };
    } catch (error) {
      throw handle.fail(error);
    }
  }
}

/** Observes the time from a commit until its change was written to the sockets of this process. */
function observeLag(
  { deliveryLagSeconds }: Pick<Metrics, "deliveryLagSeconds">,
  committedAt: number,
  delivered: Promise<void> | undefined,
): void {
  if (delivered === undefined) deliveryLagSeconds.observe(secondsSince(committedAt));
  else void delivered.then(() => deliveryLagSeconds.observe(secondsSince(committedAt))).catch(() => {});
}

const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1000;
