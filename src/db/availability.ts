import { setTimeout as wait } from "node:timers/promises";
import type { Sequelize } from "sequelize";
import type { Logger } from "../logger.ts";
import { isDiskFull, isLostServer, isOutage, reasonOf } from "./database-errors.ts";
import { readOnlyPrefix } from "./queries/availability.ts";

/** How often the database is checked without a request, in milliseconds, and while it is unavailable. */
const checkIntervalMs = 5000;
const outageCheckIntervalMs = 1000;
/** How long a check may take, in milliseconds: a database that is suspended never answers. */
const checkTimeoutMs = 2000;
/**
 * An outage ends when a check succeeds. If the same starts again within this time, in milliseconds, it ends only after a
 * time without failures: two seconds first, then twice as long each time, so that a database that comes and goes (such
 * as one with too many connections) does not fill the log.
 */
const recurrenceMs = 10_000;
const minQuietMs = 2000;
const maxQuietMs = 60_000;
/** The shortest time between two replacements of all connections, in milliseconds. */
const minRenewalIntervalMs = 500;

/** Pause before the second attempt of a check whose connection was lost, in milliseconds. */
const retryDelayMs = 200;

/** What strangers may know about the database. Reasons contain texts of PostgreSQL and of its driver, with hosts and ports. */
export type DatabaseState = "ok" | "read-only" | "disk full" | "not responding" | "unavailable";

const noResponse = `the database does not respond within ${checkTimeoutMs / 1000} s`;

/** Times of the monotonic clock, in milliseconds. */
interface Outage {
  startedAt: number;
  reason: string;
  lastFailureAt: number;
  /** How long nothing may have failed before it has ended. */
  quietMs: number;
}

export interface AvailabilityOptions {
  /** Returns why the database cannot be written, or undefined if it can. Rejects if it cannot be queried. */
  findReadOnlyReason: () => Promise<string | undefined>;
  /** Writes as much as a full disk would reject, and removes it again. */
  writeToDisk: () => Promise<unknown>;
  /** Has all pooled connections replaced at their next use. */
  renewConnections: () => void;
  /** Whether the database can become unavailable while nobody uses it: a server can, an embedded one cannot. */
  isRemote: boolean;
  log: Logger;
}

/**
 * Knows whether the database can be written. It is notified of the errors of all statements and connections, checks the
 * database itself from time to time, and logs one line when an outage starts and one when it ends.
 */
export class Availability {
  private outage: Outage | undefined;
  private previous: (Outage & { endedAt: number }) | undefined;
  private isDiskFull = false;
  private renewedAt = Number.NEGATIVE_INFINITY;
  private running: Promise<string | undefined> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isConfirming = false;
  private isStopped = false;

  constructor(private readonly options: AvailabilityOptions) {
    this.schedule();
  }

  /** Notes the error of a statement, or of an attempt to connect. */
  readonly noteFailure = (error: unknown): void => {
    if (this.isStopped || !isOutage(error)) return;
    if (isDiskFull(error)) this.isDiskFull = true;
    if (isLostServer(error)) this.noteLostConnection(error);
    else this.noteOutage(reasonOf(error));
  };

  /**
   * Notes that an open connection was lost, or leads to a server that cannot be written. The others may be useless too,
   * so all are replaced. It is an outage only if new connections are no better; a check finds out, and why.
   */
  readonly noteLostConnection = (error: unknown): void => {
    if (this.isStopped) return;
    this.renewConnections();
    if (this.outage) this.noteOutage(this.outage.reason);
    else if (!this.isConfirming) void this.confirm(error);
  };

  /** Returns why the database cannot be written now, in words for an administrator; undefined if it can. Never hangs. */
  findReason(): Promise<string | undefined> {
    this.running ??= this.check().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** The same without the reason in words. */
  async findState(): Promise<DatabaseState> {
    const reason = await this.findReason();
    if (reason === undefined) return "ok";
    if (this.isDiskFull) return "disk full";
    if (reason === noResponse) return "not responding";
    return reason.startsWith(readOnlyPrefix) ? "read-only" : "unavailable";
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private async confirm(error: unknown): Promise<void> {
    this.isConfirming = true;
    // The running check may use a connection from before.
    await this.running;
    const reason = await this.findReason();
    this.isConfirming = false;
    if (!reason) this.options.log.info(`database connections were lost and opened again: ${reasonOf(error)}`);
  }

  private async check(): Promise<string | undefined> {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, checkTimeoutMs, noResponse);
    });
    const reason = await Promise.race([this.query().catch(reasonOf), timeout]);
    clearTimeout(timer);
    if (this.isStopped) return reason;
    if (reason === undefined) this.noteSuccess(startedAt);
    else this.noteOutage(reason);
    return reason;
  }

  private async query(): Promise<string | undefined> {
    const reason = await this.findReasonOnFreshConnection();
    if (reason === undefined && this.isDiskFull) {
      await this.options.writeToDisk();
      this.isDiskFull = false;
    }
    return reason;
  }

  /** The pooled connection that is used first may be that of a server which is gone or no longer the primary. */
  private async findReasonOnFreshConnection(): Promise<string | undefined> {
    try {
      const reason = await this.options.findReadOnlyReason();
      if (reason === undefined) return undefined;
    } catch (error) {
      if (!isLostServer(error)) throw error;
      // A server that goes away resets connections first; a little later it says why it cannot be reached.
      await wait(retryDelayMs, undefined, { ref: false });
    }
    this.renewConnections();
    return this.options.findReadOnlyReason();
  }

  private renewConnections(): void {
    const now = performance.now();
    if (now - this.renewedAt < minRenewalIntervalMs) return;
    this.renewedAt = now;
    this.options.renewConnections();
  }

  private noteOutage(reason: string): void {
    const now = performance.now();
    if (this.outage) {
      this.outage.lastFailureAt = now;
      return;
    }
    const { previous } = this;
    const recurs = previous?.reason === reason && now - previous.endedAt < recurrenceMs;
    const quietMs = recurs ? Math.min(Math.max(previous.quietMs * 2, minQuietMs), maxQuietMs) : 0;
    this.outage = { startedAt: now, reason, lastFailureAt: now, quietMs };
    this.options.log.warn(`the database is unavailable: ${reason}`);
    this.schedule();
  }

  /** @param since when the check began that has succeeded: a later failure is not refuted by it */
  private noteSuccess(since: number): void {
    const now = performance.now();
    const { outage } = this;
    if (!outage || outage.lastFailureAt > since || now - outage.lastFailureAt < outage.quietMs) return;
    this.outage = undefined;
    this.previous = { ...outage, endedAt: now };
    const seconds = ((now - outage.startedAt) / 1000).toFixed(1);
    this.options.log.info(`the database is available again after ${seconds} s`);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.isStopped || (!this.outage && !this.options.isRemote)) return;
    const check = () => void this.findReason().finally(() => this.schedule());
    this.timer = setTimeout(check, this.outage ? outageCheckIntervalMs : checkIntervalMs).unref();
  }
}

const observers = new WeakMap<Sequelize, (error: unknown) => void>();

/**
 * Has `onFailure` called with every error of the database's statements and attempts to connect. Statements that bypass
 * Sequelize call `noteFailure` themselves.
 */
export function observeFailures(database: Sequelize, onFailure: (error: unknown) => void): void {
  observers.set(database, onFailure);
  observeCalls(database, "query", onFailure);
  observeCalls(database.connectionManager, "getConnection", onFailure);
}

/** Notes the failure of a statement that bypassed Sequelize. */
export const noteFailure = (database: Sequelize, error: unknown): void => observers.get(database)?.(error);

/** Replaces an asynchronous method by one that reports its errors. */
function observeCalls(target: object, name: string, onFailure: (error: unknown) => void): void {
  const method: (...given: unknown[]) => Promise<unknown> = Reflect.get(target, name);
  const observed = async (...given: unknown[]): Promise<unknown> => {
    try {
      return await Reflect.apply(method, target, given);
    } catch (error) {
      onFailure(error);
      throw error;
    }
  };
  Object.defineProperty(target, name, { value: observed, writable: true, configurable: true });
}
