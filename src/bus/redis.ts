import { setTimeout as wait } from "node:timers/promises";
import { createClient, ErrorReply } from "@redis/client";
import { exponentialBackoff } from "../concurrency/backoff.ts";
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

/** Error replies of a Redis that works and will soon be ready. */
const transientReplies = /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)/;

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
 * Connects to Redis (6 or newer) and reconnects whenever the connection is lost.
 * @returns once connected, or after some seconds without a connection
 * @throws StartError if Redis responds with an error, such as a wrong password
 */
export async function connectRedis(options: { url: string; log: Logger; signal: AbortSignal }): Promise<RedisClient> {
  const { url, log, signal } = options;
  const client = makeClient(url);
  logAvailability(client, log);
  const rejected = new Promise<never>((_, reject) => {
    client.on("error", (error) => {
      const isRejection = error instanceof ErrorReply && !transientReplies.test(error.message);
      if (isRejection) reject(new StartError(`Redis rejects the connection: ${error.message}. Check REDIS_URL.`));
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
  if (!client.isReady) log.warn("Redis is unavailable; continuing without it and reconnecting");
  return client;
}

/** Waits for commands in progress, then closes the connection. */
export async function closeRedis(client: RedisClient): Promise<void> {
  if (client.isReady) {
    await Promise.race([client.close().catch(() => {}), wait(closeTimeoutMs, undefined, { ref: false })]);
  }
  client.destroy();
}

/**
 * Logs once when Redis becomes unavailable and once when it is available again. Without an error listener, errors of
 * the client would end the process.
 */
export function logAvailability(client: RedisClient, log: Logger): void {
  let unavailable = false;
  client.on("error", (error) => {
    if (!unavailable) log.warn({ err: error }, "Redis is unavailable; continuing without it and reconnecting");
    unavailable = true;
  });
  client.on("ready", () => {
    if (unavailable) log.info("Redis is available again");
    unavailable = false;
  });
}
