import { afterEach, expect, test } from "@jest/globals";
import { Redis } from "../src/bus/redis.ts";
import { RedisBus } from "../src/bus/redis-bus.ts";
import { Counter } from "../src/metrics/counters.ts";
import { TestMessenger } from "./support/messenger.ts";
import { describeWithRedis } from "./support/prerequisites.ts";
import { recordLog } from "./support/recorded-log.ts";
import { TestRedis } from "./support/redis.ts";
import { annAndBob, sendPrivately } from "./support/scenes.ts";

/* A Redis that hangs: its connections stay open and get no replies. */

describeWithRedis("while Redis is suspended", () => {
  const cleanUps: (() => Promise<unknown> | unknown)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  async function startRedis(): Promise<TestRedis> {
    const redis = await TestRedis.start();
    cleanUps.push(() => redis.kill());
    return redis;
  }

  async function joinBus(server: TestRedis) {
    const { log, lines } = recordLog();
    const redis = await Redis.connect({ url: server.url, prefix: "test", log, signal: new AbortController().signal });
    const lostBusMessages = new Counter();
    const bus = new RedisBus({ redis, prefix: "test", log, metrics: { lostBusMessages } });
    cleanUps.push(async () => {
      await bus.close();
      await redis.close();
    });
    await bus.open();
    return { bus, redis, lines, lost: () => [...lostBusMessages.samples()][0]?.value };
  }

  async function startMessenger(redis: TestRedis): Promise<{ messenger: TestMessenger; stop: () => Promise<void> }> {
    const messenger = await TestMessenger.start({ REDIS_URL: redis.url, RATE_LIMITS: "on" });
    let stopped: Promise<void> | undefined;
    const stop = () => (stopped ??= messenger.closeDevices().then(() => messenger.stop()));
    cleanUps.push(stop);
    return { messenger, stop };
  }

  const elapsed = async (action: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    await action();
    return performance.now() - startedAt;
  };

  test("the bus finds that without any request, drops messages, and publishes again afterwards", async () => {
    const server = await startRedis();
    const [{ bus, redis, lines, lost }, other] = [await joinBus(server), await joinBus(server)];
    const received: unknown[] = [];
    const receivedLast = new Promise<void>((resolve) =>
      other.bus.subscribe("updates", (body) => received.push(body) && resolve()),
    );
    server.pause();
    await lines.waitFor("Redis is unavailable; continuing without it and reconnecting");
    for (let number = 0; number < 20_000; number++) bus.publish("updates", { number });
    expect(lost()).toBe(20_000);
    server.resume();
    await lines.waitFor("Redis is available again");
    expect(redis.status()).toBe("ok");
    bus.publish("updates", { back: true });
    await receivedLast;
    expect(received).toEqual([{ back: true }]);
    expect(lines.messages).toHaveLength(2);
  });

  test("requests of one socket wait for it once, not once each", async () => {
    const redis = await startRedis();
    const { messenger } = await startMessenger(redis);
    const { ann, bob } = await annAndBob(messenger);
    redis.pause();
    const bus = async () => (await messenger.http("GET", "/health/ready")).body.checks.bus;
    const sends = async () => {
      for (let n = 0; n < 50; n++) await sendPrivately(ann.device, bob.id, `${n}`);
    };
    // Each of them would wait for 250 ms.
    expect(await elapsed(sends)).toBeLessThan(8000);
    expect(await bus()).toBe("Redis is unavailable");
    redis.resume();
  });

  test("a server starts within some seconds, serves, and stops at once", async () => {
    const redis = await startRedis();
    redis.pause();
    const starting = startMessenger(redis);
    expect(await elapsed(() => starting)).toBeLessThan(25_000);
    const { messenger, stop } = await starting;
    const { ann, bob } = await annAndBob(messenger);
    await sendPrivately(ann.device, bob.id, "Hi");
    expect(await elapsed(stop)).toBeLessThan(3000);
    redis.resume();
  });
});
