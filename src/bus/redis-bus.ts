import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "../logger.ts";
import { type Bus, isRecord, type Listener, Subscriptions } from "./bus.ts";
import type { Redis, RedisClient } from "./redis.ts";

/**
 * Version of the message format, part of the channel's name. During a rollout, processes with different formats do not
 * receive each other's messages and find the changes in the database.
 */
const formatVersion = "v3";

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

  /** @param options.prefix separates several messengers on one Redis */
  constructor(private readonly options: { redis: Redis; prefix: string; log: Logger }) {
    const { redis, prefix, log } = options;
    this.channel = `${prefix}:bus:${formatVersion}`;
    this.subscriptions = new Subscriptions(log);
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
    const { redis, log } = this.options;
    // Not queued while Redis hangs: what a process has missed, it finds in the database.
    if (this.closed || !redis.isResponding) return;
    redis.client
      .publish(this.channel, JSON.stringify({ from: this.processId, topic, body }))
      .catch((error) => log.debug({ err: error, topic }, "a bus message was not published"));
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
      .catch((error) => this.options.log.debug({ err: error }, "not subscribed to the bus yet"));
  }

  private readonly receive = (text: string): void => {
    const message = parse(text);
    if (!isRecord(message) || message.from === this.processId || typeof message.topic !== "string") return;
    this.subscriptions.dispatch(message.topic, message.body);
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
