import { randomUUID } from "node:crypto";
import type { Database } from "../db/connect.ts";
import { type OtherProcess, removeProcess, reportProcess } from "../db/queries/processes/processes.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

const intervalMs = 2000;

/** The most that changes of other processes are late without Redis, in words. */
const delay = "up to two seconds late";

/**
 * Finds out whether several processes share the database without a common Redis, which they should not: they find each
 * other's changes by polling only. Every process reports itself in a table; another one counts as running once it is seen
 * reporting itself twice, so that the row of a killed process causes no warning.
 */
export class ProcessRegistry {
  private readonly id = randomUUID();
  private seen: ReadonlyMap<string, string> = new Map();
  private running = new Set<string>();
  private problem: string | undefined;
  private otherSockets = 0;

  constructor(
    private readonly options: {
      database: Database;
      hasRedis: boolean;
      /** The open sockets of this process. */
      countSockets: () => number;
      log: Logger;
    },
  ) {}

  /** The open sockets of the other processes, as they reported them last. */
  get socketsElsewhere(): number {
    return this.otherSockets;
  }

  /** What is wrong, in words for an administrator; undefined if nothing is. */
  get warning(): string | undefined {
    return this.problem;
  }

  /** Reports this process until the returned function is called. */
  start(): () => void {
    const { database, hasRedis, countSockets, log } = this.options;
    const task = async () => {
      this.update(await reportProcess(database, { id: this.id, hasRedis, sockets: countSockets() }));
      return undefined;
    };
    const stop = poll({ description: "the query for other processes", intervalMs, runsAtStart: true, task, log });
    return () => {
      stop();
      // If it fails, the row expires.
      removeProcess(database, this.id).catch(() => {});
    };
  }

  private update(others: readonly OtherProcess[]): void {
    const isRunning = ({ id, seenAt }: OtherProcess) =>
      this.running.has(id) || (this.seen.get(id) ?? seenAt) !== seenAt;
    const running = others.filter(isRunning);
    this.running = new Set(running.map(({ id }) => id));
    this.otherSockets = running.reduce((sum, { sockets }) => sum + sockets, 0);
    this.seen = new Map(others.map(({ id, seenAt }) => [id, seenAt]));
    this.note(this.describe(running));
  }

  private describe(others: readonly OtherProcess[]): string | undefined {
    if (others.length === 0) return undefined;
    if (!this.options.hasRedis) {
      return `no Redis: ${others.length + 1} processes poll the database for each other's changes, pushes between them are ${delay}`;
    }
    const without = others.filter(({ hasRedis }) => !hasRedis).length;
    return without > 0
      ? `${without} of ${others.length + 1} processes have no Redis: pushes to and from them are ${delay}`
      : undefined;
  }

  private note(problem: string | undefined): void {
    const { log } = this.options;
    if (problem && !this.problem) {
      log.warn(`${problem}, typing and presence are not pushed at all; set the same REDIS_URL for all processes`);
    }
    if (!problem && this.problem) log.info("no process without Redis shares the database any more");
    this.problem = problem;
  }
}
