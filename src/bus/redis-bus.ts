import { setTimeout as wait } from "node:timers/promises";
import { type FailureLog, type Logger, logFailures } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type Bus, isRecord, type Listener, Subscriptions } from "./bus.ts";
import { isRejection, type Redis, type RedisClient } from "./redis.ts";

/**
 * Version of the message format, part of the channel's name. During a rollout, processes with different formats do not
 * receive each other's messages and find the changes in the database.
 */
const formatVersion = "v3";

/** The channel of the messenger with this prefix, to which each of its processes subscribes once. */
export const busChannel = (prefix: string): string => `${prefix}:bus:${formatVersion}`;

/** How long a start waits for the subscription, in milliseconds. */
const subscribeTimeoutMs = 5000;

/** The bus of a messenger with several processes: one Redis channel, at-most-once delivery. */
export class RedisBus implements Bus {
  private readonly processId = crypto.randomUUID();
  private readonly channel: string;
  private readonly subscriptions: Subscriptions;
  /** A connection of its own: a subscribed connection accepts no other commands. */
  private readonly subscriber: RedisClient;
  private closed = false;
  private readonly publishing: FailureLog;
  private readonly subscribing: FailureLog;

  /** @param options.prefix separates several messengers on one Redis */
  constructor(
    private readonly options: {
      redis: Redis;
      prefix: string;
      log: Logger;
      metrics?: Pick<Metrics, "lostBusMessages"> | undefined;
    },
  ) {
    const { redis, prefix, log } = options;
    this.channel = busChannel(prefix);
    this.subscriptions = new Subscriptions(log);
    this.publishing = rejectionLog(log, "publishing on the bus");
    this.subscribing = rejectionLog(log, "subscribing to the bus");
    this.subscriber = redis.duplicate();
  }

  /** Subscribes to the channel. Resolves once subscribed, or at once while Redis is unavailable. */
  async open(): Promise<void> {
    const subscribed = new Promise<void>((resolve) => {
      // At every connection: the client renews a subscription by itself only if it succeeded before.
      this.subscriber.on("ready", () => void this.subscribeToChannel().then(resolve));
    });
    this.subscriber.connect().catch(() => {});
    if (this.options.redis.isResponding)
      await Promise.race([subscribed, wait(subscribeTimeoutMs, undefined, { ref: false })]);
  }

  publish(topic: string, body: object): void {
    const { redis, metrics } = this.options;
    if (this.closed) return;
    // Not queued while Redis hangs: what a process has missed, it finds in the database.
    if (!redis.isResponding) {
      metrics?.lostBusMessages.add();
      return;
    }
    redis.client
      .publish(this.channel, JSON.stringify({ from: this.processId, topic, body }))
      .then(() => this.publishing.succeeded())
      .catch((error) => {
        metrics?.lostBusMessages.add();
        this.publishing.failed(error);
      });
  }

  subscribe(topic: string, listener: Listener): void {
    this.subscriptions.add(topic, listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.subscriptions.clear();
    await this.options.redis.release(this.subscriber);
  }

  private async subscribeToChannel(): Promise<void> {
    await this.subscriber
      .subscribe(this.channel, this.receive)
      .then(() => this.subscribing.succeeded())
      .catch((error) => this.subscribing.failed(error));
  }

  private readonly receive = (text: string): void => {
    const message = parse(text);
    if (!isRecord(message) || message.from === this.processId || typeof message.topic !== "string") return;
    this.subscriptions.dispatch(message.topic, message.body);
  };
}

/**
 * Logs commands that Redis rejects, such as for a missing right. A connection that is lost is not logged: `Redis` does that.
 */
const rejectionLog = (log: Logger, description: string): FailureLog =>
  logFailures(log, {
    warning: `Redis rejects ${description}; other processes find changes in the database`,
    recovery: `${description} works again`,
    isLogged: isRejection,
  });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
