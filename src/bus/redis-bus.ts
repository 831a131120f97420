import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "../logger.ts";
import { type Bus, isRecord, type Listener, Subscriptions } from "./bus.ts";
import { closeRedis, type RedisClient, reportHealth } from "./redis.ts";

/**
 * The version of what is said: it is part of the channel's name, so processes of versions that would not understand
 * each other (while a new one is rolled out) do not hear each other, and find everything in the database.
 */
const format = "v2";

/** How long a start waits for the subscription, in milliseconds. */
const listenWithinMs = 5000;

/** The bus of a messenger in several processes: one channel of Redis, at most once. */
export class RedisBus implements Bus {
  private readonly self = crypto.randomUUID();
  private readonly channel: string;
  private readonly listeners: Subscriptions;
  /** A connection that listens can do nothing else. */
  private readonly ear: RedisClient;
  private closed = false;

  /** @param options.prefix tells several messengers on one Redis apart */
  constructor(private readonly options: { client: RedisClient; prefix: string; log: Logger }) {
    const { client, prefix, log } = options;
    this.channel = `${prefix}:bus:${format}`;
    this.listeners = new Subscriptions(log);
    this.ear = client.duplicate();
  }

  /** Begins to listen; settles when it does, or at once while Redis is away. */
  async open(): Promise<void> {
    const { client, log } = this.options;
    reportHealth(this.ear, log.child({}, { level: "silent" }));
    const listening = new Promise<void>((resolve) => {
      // At every connection: the client itself renews a subscription only if it had succeeded once.
      this.ear.on("ready", () => void this.listen().then(resolve));
    });
    this.ear.connect().catch(() => {});
    if (client.isReady) await Promise.race([listening, wait(listenWithinMs, undefined, { ref: false })]);
  }

  publish(topic: string, body: object): void {
    const { client, log } = this.options;
    if (this.closed || !client.isReady) return;
    client
      .publish(this.channel, JSON.stringify({ from: this.self, topic, body }))
      .catch((error) => log.debug({ err: error, topic }, "not told on the bus"));
  }

  subscribe(topic: string, listener: Listener): void {
    this.listeners.add(topic, listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.listeners.clear();
    await closeRedis(this.ear);
  }

  private async listen(): Promise<void> {
    await this.ear
      .subscribe(this.channel, this.hear)
      .catch((error) => this.options.log.debug({ err: error }, "not listening to the bus yet"));
  }

  private readonly hear = (text: string): void => {
    const heard = parse(text);
    if (!isRecord(heard) || heard.from === this.self || typeof heard.topic !== "string") return;
    this.listeners.hear(heard.topic, heard.body);
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
