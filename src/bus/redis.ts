import { setTimeout as wait } from "node:timers/promises";
import { createClient, ErrorReply } from "@redis/client";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";

/** How long a start waits for Redis before it goes on without, in milliseconds. */
const startWithinMs = 5000;
const connectWithinMs = 5000;
const retryMs = { first: 100, most: 5000 };
/** Commands under way at the most; further ones fail at once, so that a Redis that hangs costs no memory. */
const mostUnderWay = 10_000;
/** How long what is under way may take when the connection is closed, in milliseconds. */
const farewellMs = 1000;

/** Answers of a Redis that is well and soon ready. */
const passing = /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)/;

/** A connection for commands. While Redis is away a command fails at once: nothing queues up. */
export type RedisClient = ReturnType<typeof makeClient>;

const makeClient = (url: string) =>
  createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: mostUnderWay,
    // A matter of one vendor's service.
    maintNotifications: "disabled",
    socket: { connectTimeout: connectWithinMs, reconnectStrategy: pauseBeforeRetry },
  });

/** Backs off, with some chance in it, so that processes do not come back in step. */
const pauseBeforeRetry = (retries: number): number =>
  Math.min(retryMs.first * 2 ** Math.min(retries, 10), retryMs.most) * (0.5 + Math.random() / 2);

/**
 * Connects to Redis (6 or newer), and keeps connecting whenever it is away.
 * @returns as soon as it is there, or after some seconds without it
 * @throws StartError when Redis is there and refuses us
 */
export async function connectRedis(options: { url: string; log: Logger; signal: AbortSignal }): Promise<RedisClient> {
  const { url, log, signal } = options;
  const client = makeClient(url);
  reportHealth(client, log);
  const refused = new Promise<never>((_, reject) => {
    client.on("error", (error) => {
      const isRefusal = error instanceof ErrorReply && !passing.test(error.message);
      if (isRefusal) reject(new StartError(`Redis refuses: ${error.message}. Check REDIS_URL.`));
    });
  });
  // A refusal after the start is one more reason to try again.
  refused.catch(() => {});
  const ready = client.connect();
  ready.catch(() => {});
  try {
    await Promise.race([ready, refused, wait(startWithinMs, undefined, { signal, ref: false })]);
  } catch (error) {
    client.destroy();
    throw error;
  }
  if (!client.isReady) log.warn("Redis is not there; going on without it, and trying again");
  return client;
}

/** Closes after what is under way. */
export async function closeRedis(client: RedisClient): Promise<void> {
  if (client.isReady) await Promise.race([client.close().catch(() => {}), wait(farewellMs, undefined, { ref: false })]);
  client.destroy();
}

/**
 * Listens for errors, which unheard would end the process, and says once that Redis has gone, and once that it is back.
 */
export function reportHealth(client: RedisClient, log: Logger): void {
  let isAway = false;
  client.on("error", (error) => {
    if (!isAway) log.warn({ err: error }, "Redis is away; going on without it, and trying again");
    isAway = true;
  });
  client.on("ready", () => {
    if (isAway) log.info("Redis is back");
    isAway = false;
  });
}
