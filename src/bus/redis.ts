import { setTimeout as wait } from "node:timers/promises";
import { createClient, ErrorReply } from "@redis/client";
import { exponentialBackoff } from "../concurrency/backoff.ts";
import { CircuitBreaker } from "../concurrency/circuit-breaker.ts";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";

/** How long a start waits for Redis before it continues without it, in milliseconds. */
const startTimeoutMs = 5000;
const connectTimeoutMs = 5000;
const backoffMs = exponentialBackoff({ firstMs: 100, maxMs: 5000 });
/** Commands in progress; further ones fail at once, so that an unresponsive Redis takes no memory. */
const maxCommandsInProgress = 10_000;
/** How long commands in progress may take while the connection is closed, in milliseconds. */
const closeTimeoutMs = 1000;
/** How long Redis may take to answer a command, in milliseconds, before the process continues without it. */
const commandTimeoutMs = 250;
const probeIntervalMs = 1000;
/** Lifetime of the key that a probe writes, in milliseconds. */
const probeKeyLifetimeMs = 10_000;

/** Error replies of a Redis that works and will soon be ready. */
const transientReplies = /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)/;

/** Whether an error is an error reply of a Redis that works. */
export const isRejection = (error: unknown): error is ErrorReply =>
  error instanceof ErrorReply && !transientReplies.test(error.message);

/** A connection for commands. While Redis is unavailable, commands fail at once instead of queueing. */
export type RedisClient = ReturnType<typeof makeClient>;

const makeClient = (url: string) =>
  createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxCommandsInProgress,
    // Exists in Redis Enterprise only.
    maintNotifications: "disabled",
    socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: retryDelayMs },
  });

/** Exponential back-off with jitter, so that processes do not reconnect in step. */
const retryDelayMs = (retries: number): number => backoffMs(retries) * (0.5 + Math.random() / 2);

/**
 * Redis (6 or newer), which may be absent, hang or reject writes at any time. Two circuit breakers for the whole process
 * say whether to use it: the first command or probe that gets no reply in time ends the use of it until a probe succeeds.
 */
export class Redis {
  /** Open while a connection is closed or gets no replies. */
  private readonly connection: CircuitBreaker;
  /** Open while commands that write get error replies: its memory is full, or it is a read-only replica. */
  private readonly writes: CircuitBreaker;
  private readonly connections: RedisClient[] = [];

  /** @param client for commands, while `isResponding` */
  private constructor(
    readonly client: RedisClient,
    private readonly options: { log: Logger; prefix: string },
  ) {
    const { log } = options;
    this.connection = new CircuitBreaker({
      timeoutMs: commandTimeoutMs,
      probeIntervalMs,
      probe: () => Promise.all([this.probeWrite(), ...this.connections.map((connection) => connection.ping())]),
      probesWhileClosed: true,
      isFailure: (error) => !isRejection(error),
      onOpen: (err) => log.warn({ err }, "Redis is unavailable; continuing without it and reconnecting"),
      onClose: (openMs) => log.info({ unavailableMs: Math.round(openMs) }, "Redis is available again"),
    });
    this.writes = new CircuitBreaker({
      // The other breaker ends the wait.
      timeoutMs: 2 * commandTimeoutMs,
      probeIntervalMs,
      probe: () => this.writeProbeKey(),
      onOpen: (err) => log.warn({ err }, "Redis rejects writes; each process counts rate limits on its own"),
      onClose: (openMs) => log.info({ rejectedMs: Math.round(openMs) }, "Redis accepts writes again"),
    });
    this.watch(client);
  }

  /**
   * Connects, and reconnects whenever a connection is lost.
   * @param options.prefix of the key that probes write
   * @returns once connected, or after some seconds without a connection
   * @throws StartError if Redis responds with an error, such as a wrong password
   */
  static async connect(options: { url: string; prefix: string; log: Logger; signal: AbortSignal }): Promise<Redis> {
    const { url, signal } = options;
    const client = makeClient(url);
    let lastError = new Error(`no reply within ${startTimeoutMs} ms`);
    const rejected = new Promise<never>((_, reject) => {
      client.on("error", (error) => {
        lastError = error;
        if (isRejection(error))
          reject(new StartError(`Redis rejects the connection: ${error.message}. Check REDIS_URL.`));
      });
    });
    // After the start, a rejection is only a reason to reconnect.
    rejected.catch(() => {});
    const ready = client.connect();
    ready.catch(() => {});
    try {
      await Promise.race([ready, rejected, wait(startTimeoutMs, undefined, { signal, ref: false })]);
    } catch (error) {
      client.destroy();
      throw error;
    }
    const redis = new Redis(client, options);
    if (!client.isReady) redis.connection.open(lastError);
    return redis;
  }

  /** Whether Redis answered the last command or probe in time, on every connection. */
  get isResponding(): boolean {
    return this.connection.isClosed;
  }

  /** "ok", or why Redis is not used at the moment. */
  status(): "ok" | string {
    return (this.connection.reason ?? this.writes.reason)?.message ?? "ok";
  }

  /**
   * Runs a command that writes, or the fallback if Redis is unavailable, rejects writes or does not answer in time. The
   * first command without an answer costs the time-out; from then on there is no wait.
   */
  write<T>(command: () => Promise<T>, fallback: () => T | Promise<T>): Promise<T> {
    return this.writes.run(() => this.connection.run(command, fallback), fallback);
  }

  /** Opens another connection, such as for a subscription. It is probed with the others. */
  duplicate(): RedisClient {
    const connection = this.client.duplicate();
    this.watch(connection);
    return connection;
  }

  /** Closes a connection opened with `duplicate`. */
  async release(connection: RedisClient): Promise<void> {
    this.forget(connection);
    await this.closeConnection(connection);
  }

  /** Waits a moment for commands in progress, then closes the connection. */
  async close(): Promise<void> {
    this.connection.stop();
    this.writes.stop();
    await this.closeConnection(this.client);
  }

  /** Without an error listener, errors of the client would end the process. */
  private watch(connection: RedisClient): void {
    connection.on("error", (error) => this.connection.open(error));
    connection.on("ready", () => {
      if (!this.connection.isClosed) this.connection.probeNow();
    });
    this.connections.push(connection);
  }

  /** Whether Redis answers writes: it may answer PING and not these (CLIENT PAUSE). Rejecting them is an answer. */
  private async probeWrite(): Promise<void> {
    try {
      await this.writeProbeKey();
    } catch (error) {
      if (!isRejection(error)) throw error;
    }
  }

  private writeProbeKey(): Promise<unknown> {
    return this.client.set(`${this.options.prefix}:probe`, "1", { PX: probeKeyLifetimeMs });
  }

  private forget(connection: RedisClient): void {
    const index = this.connections.indexOf(connection);
    if (index >= 0) this.connections.splice(index, 1);
  }

  private async closeConnection(connection: RedisClient): Promise<void> {
    if (connection.isReady && this.isResponding) {
      await Promise.race([connection.close().catch(() => {}), wait(closeTimeoutMs, undefined, { ref: false })]);
    }
    connection.destroy();
  }
}
