import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { ErrorReply } from "@redis/client";
import type { Bus } from "../src/bus/bus.ts";
import { InProcessBus, type Members } from "../src/bus/in-process-bus.ts";
import { Redis } from "../src/bus/redis.ts";
import { RedisBus } from "../src/bus/redis-bus.ts";
import { describeWithRedis } from "./support/prerequisites.ts";
import { recordLog } from "./support/recorded-log.ts";
import { TestRedis } from "./support/redis.ts";
import { silentLog } from "./support/silent.ts";

/** Records the messages of a topic; the test can wait for one. */
function recordTopic(bus: Bus, topic: string) {
  const received: unknown[] = [];
  let check = () => {};
  bus.subscribe(topic, (body) => {
    received.push(body);
    check();
  });
  return {
    received,
    /** Resolves once this message has been received. */
    receives: (expected: unknown) =>
      new Promise<void>((resolve) => {
        check = () => received.some((body) => JSON.stringify(body) === JSON.stringify(expected)) && resolve();
        check();
      }),
  };
}

/** The contract of every bus; `join` adds a member to the same bus. */
function busContract(join: () => Promise<Bus>) {
  test("a published message is received once and in order by all other members, and not by the publisher", async () => {
    const [one, two, three] = [await join(), await join(), await join()];
    const records = [one, two, three].map((bus) => recordTopic(bus, "updates"));
    const updates = Array.from({ length: 500 }, (_, number) => ({ number }));
    for (const body of updates) one.publish("updates", body);
    two.publish("updates", { last: true });
    await Promise.all([records[0], records[2]].map((each) => each?.receives({ last: true })));
    await Promise.all([records[1], records[2]].map((each) => each?.receives({ number: 499 })));
    expect(records[0]?.received).toEqual([{ last: true }]);
    expect(records[1]?.received).toEqual(updates);
    expect(records[2]?.received.filter((body) => JSON.stringify(body) !== '{"last":true}')).toEqual(updates);
  });

  test("a message is received only by subscribers of its topic", async () => {
    const [one, two] = [await join(), await join()];
    const updates = recordTopic(two, "updates");
    one.publish("other", { number: 1 });
    one.publish("updates", { number: 2 });
    await updates.receives({ number: 2 });
    expect(updates.received).toEqual([{ number: 2 }]);
  });

  test("a listener that throws affects neither other listeners nor the publisher", async () => {
    const [one, two] = [await join(), await join()];
    two.subscribe("updates", () => {
      throw new Error("this listener fails");
    });
    const updates = recordTopic(two, "updates");
    one.publish("updates", { number: 1 });
    await updates.receives({ number: 1 });
  });

  test("a closed bus neither receives nor publishes", async () => {
    const [one, two, three] = [await join(), await join(), await join()];
    const [closed, open] = [recordTopic(two, "updates"), recordTopic(three, "updates")];
    await two.close();
    two.publish("updates", { from: "a closed bus" });
    one.publish("updates", { number: 1 });
    await open.receives({ number: 1 });
    expect([closed.received, open.received]).toEqual([[], [{ number: 1 }]]);
  });
}

describe("an in-process bus", () => {
  let members: Members = new Set();
  afterEach(() => {
    members = new Set();
  });

  busContract(async () => new InProcessBus(silentLog, members));

  test("bodies are received as JSON, like on any other bus", () => {
    const [one, two] = [new InProcessBus(silentLog, members), new InProcessBus(silentLog, members)];
    const updates = recordTopic(two, "updates");
    const at = new Date();
    one.publish("updates", { at });
    expect(updates.received).toEqual([{ at: at.toISOString() }]);
  });

  test("nothing is serialised on a bus without other members", () => {
    const body = { toJSON: jest.fn() };
    new InProcessBus(silentLog).publish("updates", body);
    expect(body.toJSON).not.toHaveBeenCalled();
  });
});

describeWithRedis("a Redis bus", () => {
  let redis: TestRedis;
  const connections: Redis[] = [];
  const buses: RedisBus[] = [];

  beforeAll(async () => {
    redis = await TestRedis.start();
  });

  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await Promise.all(connections.splice(0).map((connection) => connection.close()));
  });

  afterAll(() => redis?.kill());

  async function connect(url = redis.url): Promise<Redis> {
    const signal = new AbortController().signal;
    const connection = await Redis.connect({ url, prefix: "test", log: silentLog, signal });
    connections.push(connection);
    return connection;
  }

  async function join(prefix = "test"): Promise<RedisBus> {
    const bus = new RedisBus({ redis: await connect(), prefix, log: silentLog });
    buses.push(bus);
    await bus.open();
    return bus;
  }

  busContract(join);

  test("two messengers on one Redis do not receive each other's messages", async () => {
    const [ours, theirs, oursToo] = [await join(), await join("another"), await join()];
    const [updates, others] = [recordTopic(oursToo, "updates"), recordTopic(theirs, "updates")];
    ours.publish("updates", { number: 1 });
    await updates.receives({ number: 1 });
    expect(others.received).toEqual([]);
  });

  test("messages in another format are ignored", async () => {
    const [bus, { client }] = [await join(), await connect()];
    const updates = recordTopic(bus, "updates");
    for (const text of ["", "{", "null", "[]", "7", "{}", '{"topic":7}', '{"topic":"__proto__","body":{}}']) {
      await client.publish("test:bus:v3", text);
    }
    await client.publish("test:bus:v3", JSON.stringify({ topic: "updates", body: { number: 1 } }));
    await updates.receives({ number: 1 });
    expect(updates.received).toEqual([{ number: 1 }]);
  });

  test("while Redis is unavailable messages are dropped without errors; afterwards they are received again", async () => {
    const [one, two] = [await join(), await join()];
    const updates = recordTopic(two, "updates");
    await redis.kill();
    for (let number = 0; number < 10_000; number++) one.publish("updates", { number });
    await redis.start();
    const publishing = setInterval(() => one.publish("updates", { back: true }), 20);
    await updates.receives({ back: true });
    clearInterval(publishing);
    expect(updates.received.filter((body) => JSON.stringify(body) !== '{"back":true}')).toEqual([]);
  });

  test("a wrong Redis password fails the start with one sentence", async () => {
    const guarded = await TestRedis.start({ parameters: ["--requirepass", "right"] });
    try {
      await expect(connect(guarded.url.replace("//", "//:wrong@"))).rejects.toThrow(
        /^Redis rejects the connection: WRONGPASS/,
      );
    } finally {
      await guarded.kill();
    }
  });
});

test("a Redis that rejects publishing is logged once, until it works again; a lost connection is not", async () => {
  const { log, lines } = recordLog();
  let error: Error | undefined = new Error("Socket closed unexpectedly");
  const client = {
    publish: async () => {
      if (error) throw error;
    },
  };
  const redis = { isResponding: true, client, duplicate: () => ({}) } as unknown as Redis;
  const bus = new RedisBus({ redis, prefix: "test", log });
  const publishTwice = async () => {
    for (let count = 0; count < 2; count++) bus.publish("topic", {});
    await new Promise((resolve) => setImmediate(resolve));
  };
  await publishTwice();
  error = new ErrorReply("NOPERM this user has no permissions");
  await publishTwice();
  error = undefined;
  await publishTwice();
  expect(lines.messages).toEqual([
    "Redis rejects publishing on the bus; other processes find changes in the database",
    "publishing on the bus works again",
  ]);
});
