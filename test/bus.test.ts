import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Bus } from "../src/bus/bus.ts";
import { InProcessBus, type Members } from "../src/bus/in-process-bus.ts";
import { closeRedis, connectRedis, type RedisClient } from "../src/bus/redis.ts";
import { RedisBus } from "../src/bus/redis-bus.ts";
import { describeWithRedis } from "./support/prerequisites.ts";
import { TestRedis } from "./support/redis.ts";
import { silentLog } from "./support/silent.ts";

/** What somebody on the bus hears under a topic, to be waited for. */
function ear(bus: Bus, topic: string) {
  const heard: unknown[] = [];
  let look = () => {};
  bus.subscribe(topic, (body) => {
    heard.push(body);
    look();
  });
  return {
    heard,
    /** Settles when this was heard. */
    hears: (wanted: unknown) =>
      new Promise<void>((resolve) => {
        look = () => heard.some((body) => JSON.stringify(body) === JSON.stringify(wanted)) && resolve();
        look();
      }),
  };
}

/** What holds for every bus; `join` gives one more member of the same one. */
function keepsTheContract(join: () => Promise<Bus>) {
  test("what one publishes the others hear, once and in order, and it does not hear itself", async () => {
    const [one, two, three] = [await join(), await join(), await join()];
    const ears = [one, two, three].map((bus) => ear(bus, "news"));
    const news = Array.from({ length: 500 }, (_, number) => ({ number }));
    for (const body of news) one.publish("news", body);
    two.publish("news", { last: true });
    await Promise.all([ears[0], ears[2]].map((each) => each?.hears({ last: true })));
    await ears[1]?.hears({ number: 499 });
    expect(ears[0]?.heard).toEqual([{ last: true }]);
    expect(ears[1]?.heard).toEqual(news);
    expect(ears[2]?.heard.filter((body) => JSON.stringify(body) !== '{"last":true}')).toEqual(news);
  });

  test("only who asked for a topic hears it", async () => {
    const [one, two] = [await join(), await join()];
    const news = ear(two, "news");
    one.publish("gossip", { number: 1 });
    one.publish("news", { number: 2 });
    await news.hears({ number: 2 });
    expect(news.heard).toEqual([{ number: 2 }]);
  });

  test("a listener that fails disturbs neither the others nor whoever spoke", async () => {
    const [one, two] = [await join(), await join()];
    two.subscribe("news", () => {
      throw new Error("this listener fails");
    });
    const news = ear(two, "news");
    one.publish("news", { number: 1 });
    await news.hears({ number: 1 });
  });

  test("whoever has left hears nothing, and is not heard", async () => {
    const [one, two, three] = [await join(), await join(), await join()];
    const [left, there] = [ear(two, "news"), ear(three, "news")];
    await two.close();
    two.publish("news", { from: "whoever left" });
    one.publish("news", { number: 1 });
    await there.hears({ number: 1 });
    expect([left.heard, there.heard]).toEqual([[], [{ number: 1 }]]);
  });
}

describe("the bus within one process", () => {
  let members: Members = new Set();
  afterEach(() => {
    members = new Set();
  });

  keepsTheContract(async () => new InProcessBus(silentLog, members));

  test("hands on what it was given, without making text of it", async () => {
    const [one, two] = [new InProcessBus(silentLog, members), new InProcessBus(silentLog, members)];
    const news = ear(two, "news");
    const body = { at: new Date() };
    one.publish("news", body);
    expect(news.heard[0]).toBe(body);
  });
});

describeWithRedis("the bus between processes", () => {
  let redis: TestRedis;
  const clients: RedisClient[] = [];
  const buses: RedisBus[] = [];

  beforeAll(async () => {
    redis = await TestRedis.start();
  });

  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await Promise.all(clients.splice(0).map(closeRedis));
  });

  afterAll(() => redis?.kill());

  async function connect(url = redis.url): Promise<RedisClient> {
    const client = await connectRedis({ url, log: silentLog, signal: new AbortController().signal });
    clients.push(client);
    return client;
  }

  async function join(prefix = "test"): Promise<RedisBus> {
    const bus = new RedisBus({ client: await connect(), prefix, log: silentLog });
    buses.push(bus);
    await bus.open();
    return bus;
  }

  keepsTheContract(join);

  test("two messengers on one Redis do not hear each other", async () => {
    const [ours, theirs, oursToo] = [await join(), await join("another"), await join()];
    const [news, others] = [ear(oursToo, "news"), ear(theirs, "news")];
    ours.publish("news", { number: 1 });
    await news.hears({ number: 1 });
    expect(others.heard).toEqual([]);
  });

  test("what is not ours is not heard", async () => {
    const [bus, client] = [await join(), await connect()];
    const news = ear(bus, "news");
    for (const text of ["", "{", "null", "[]", "7", "{}", '{"topic":7}', '{"topic":"__proto__","body":{}}']) {
      await client.publish("test:bus:v2", text);
    }
    await client.publish("test:bus:v2", JSON.stringify({ topic: "news", body: { number: 1 } }));
    await news.hears({ number: 1 });
    expect(news.heard).toEqual([{ number: 1 }]);
  });

  test("while Redis is away nothing is kept and nothing fails; when it is back, all hear each other again", async () => {
    const [one, two] = [await join(), await join()];
    const news = ear(two, "news");
    await redis.kill();
    for (let number = 0; number < 10_000; number++) one.publish("news", { number });
    await redis.start();
    const speak = setInterval(() => one.publish("news", { back: true }), 20);
    await news.hears({ back: true });
    clearInterval(speak);
    expect(news.heard.filter((body) => JSON.stringify(body) !== '{"back":true}')).toEqual([]);
  });

  test("a Redis that refuses us ends the start with a sentence", async () => {
    const guarded = await TestRedis.start({ parameters: ["--requirepass", "right"] });
    try {
      await expect(connect(guarded.url.replace("//", "//:wrong@"))).rejects.toThrow(/^Redis refuses: WRONGPASS/);
    } finally {
      await guarded.kill();
    }
  });
});
