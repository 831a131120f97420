import { describe, expect, jest, test } from "@jest/globals";
import { InProcessBus, type Members } from "../src/bus/in-process-bus.ts";
import { Delivery } from "../src/delivery/delivery.ts";
import type { Requester } from "../src/domain/actor.ts";
import type { Change } from "../src/domain/change.ts";
import type { ChatMessage } from "../src/domain/message.ts";
import type { AppError } from "../src/errors.ts";
import { change, chatId, eventMessage, joined, left, message } from "./support/scripted-changes.ts";
import { silentLog } from "./support/silent.ts";

/*
 * The order of delivery, with changes arriving at moments chosen by the test. One file despite its length, because the
 * delivery of one process and of several is tested with the same scripted store.
 */

/** A delivery over a store of `stored` versions whose next reads fail. */
function deliveryOver(store: {
  stored: number;
  failures?: number;
  rows?: Map<number, ChatMessage>;
  /** The members of the chat after everything that is stored. */
  memberIds?: number[];
  /** With other processes: the version at which an untracked chat starts, and the bus that they share. */
  startVersion?: number;
  members?: Members;
  epoch?: { current: string };
}) {
  const delivered: Change[] = [];
  let reads = 0;
  const delivery = new Delivery({
    store: {
      async changesAfter({ after: version }, limit) {
        reads++;
        if (store.failures && store.failures-- > 0) throw new Error("the store is unavailable");
        const missing = Array.from({ length: Math.max(0, store.stored - version) }, (_, index) => version + 1 + index);
        const messages = missing.slice(0, limit).map((number) => store.rows?.get(number) ?? message(number));
        const laterEvents = missing.slice(limit).flatMap((number) => store.rows?.get(number) ?? []);
        return { messages, laterEvents, memberIds: store.memberIds ?? [1, 2] };
      },
      changesOfChats: async () => [],
      waitForWriters: async () => {},
      ...(store.startVersion !== undefined && {
        startVersions: async (ids) => ids.map((id) => ({ chatId: id, version: store.startVersion ?? 0 })),
      }),
    },
    bus: new InProcessBus(silentLog, store.members),
    epoch: store.epoch ?? { current: "present" },
    deliver: (one) => delivered.push(one),
    deliverSignal: () => {},
    log: silentLog,
  });
  return {
    delivery,
    delivered,
    versions: () => delivered.map((one) => one.message.version),
    recipients: () => delivered.map(({ recipientIds }) => [...recipientIds].sort()),
    reads: () => reads,
  };
}

describe("delivery", () => {
  test("changes published in order are delivered at once, without a read from the store", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 3 });
    for (const version of [1, 2, 3]) expect(delivery.publish(change(version))).toBeUndefined();
    expect(versions()).toEqual([1, 2, 3]);
    expect(reads()).toBe(0);
  });

  test("changes of two writers that learn of their commits in the wrong order are delivered in commit order", async () => {
    const { delivery, delivered, versions, reads } = deliveryOver({ stored: 2 });
    delivery.track(chatId, 0);
    const [first, second]: Requester[] = [{}, {}];
    const [endFirst, endSecond] = [delivery.beginWrite([chatId]), delivery.beginWrite([chatId])];
    const secondDelivered = delivery.publish({ ...change(2), requester: second });
    endSecond({ inDoubt: false });
    expect(versions()).toEqual([]);
    void delivery.publish({ ...change(1), requester: first });
    endFirst({ inDoubt: false });
    await secondDelivered;
    expect(versions()).toEqual([1, 2]);
    expect(delivered[0]?.requester).toBe(first);
    expect(delivered[1]?.requester).toBe(second);
    expect(reads()).toBe(0);
  });

  test("a write that adds nothing delays no change", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 1 });
    delivery.track(chatId, 0);
    const end = delivery.beginWrite([chatId]);
    await delivery.publish(change(1));
    end({ inDoubt: false });
    expect(versions()).toEqual([1]);
    expect(reads()).toBe(0);
  });

  test("a chat that is tracked already keeps its position", async () => {
    const { delivery, versions } = deliveryOver({ stored: 6 });
    delivery.track(chatId, 4);
    delivery.track(chatId, 5);
    await delivery.publish(change(6));
    expect(versions()).toEqual([5, 6]);
  });

  test("changes written elsewhere are read and delivered before a later one", async () => {
    const { delivery, versions } = deliveryOver({ stored: 3 });
    delivery.track(chatId, 0);
    await delivery.publish(change(3));
    expect(versions()).toEqual([1, 2, 3]);
  });

  test("a change that is read while its own write is in progress keeps its requester", async () => {
    const store = { stored: 3 };
    const { delivery, delivered, versions } = deliveryOver(store);
    delivery.track(chatId, 0);
    const requester: Requester = {};
    const third = delivery.publish(change(3));
    // Begins when the read may have seen its change already.
    const end = delivery.beginWrite([chatId]);
    store.stored = 4;
    await Promise.resolve();
    void delivery.publish({ ...change(4), requester });
    end({ inDoubt: false });
    await third;
    expect(versions()).toEqual([1, 2, 3, 4]);
    expect(delivered.at(-1)?.requester).toBe(requester);
  });

  test("a commit in doubt is delivered if the store has it", async () => {
    const store = { stored: 2, failures: 1 };
    const { delivery, versions } = deliveryOver(store);
    await delivery.publish(change(1));
    const end = delivery.beginWrite([chatId]);
    end({ inDoubt: true });
    // A later change waits for the read that is in progress.
    store.stored = 3;
    await delivery.publish(change(3));
    expect(versions()).toEqual([1, 2, 3]);
  });

  test("a commit in doubt that did not happen delivers nothing", async () => {
    const { delivery, versions } = deliveryOver({ stored: 1 });
    await delivery.publish(change(1));
    delivery.beginWrite([chatId])({ inDoubt: true });
    await delivery.publish(change(2));
    expect(versions()).toEqual([1, 2]);
  });

  test("a commit in doubt that reaches the store after the first look is found by a later one", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] });
    try {
      const store = { stored: 1 };
      const { delivery, versions, reads } = deliveryOver(store);
      await delivery.publish(change(1));
      delivery.beginWrite([chatId])({ inDoubt: true });
      while (reads() < 1) await new Promise(setImmediate);
      store.stored = 2;
      await jest.advanceTimersByTimeAsync(15_000);
      expect(versions()).toEqual([1, 2]);
      await jest.advanceTimersByTimeAsync(100_000);
      expect(versions()).toEqual([1, 2]);
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  test("a gap is filled when the store is available again", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 2, failures: 2 });
    delivery.track(chatId, 0);
    await delivery.publish(change(2));
    expect(versions()).toEqual([1, 2]);
    expect(reads()).toBe(3);
  });

  test("a publisher does not wait for a gap after delivery was stopped", async () => {
    const { delivery, versions } = deliveryOver({ stored: 2, failures: Number.POSITIVE_INFINITY });
    delivery.track(chatId, 0);
    const published = delivery.publish(change(2));
    delivery.stop();
    await published;
    expect(versions()).toEqual([]);
  });

  test("a gap larger than one read is read to its end", async () => {
    const { delivery, versions } = deliveryOver({ stored: 1203 });
    delivery.track(chatId, 0);
    await delivery.publish(change(1203));
    expect(versions()).toEqual(Array.from({ length: 1203 }, (_, index) => index + 1));
  });

  test("the first rows of a gap larger than one read go to the members at their time", async () => {
    const rows = new Map([
      [700, joined(700, 2)],
      [1100, left(1100, 3)],
    ]);
    const { delivery, recipients } = deliveryOver({ stored: 1203, rows });
    delivery.track(chatId, 0);
    await delivery.publish(change(1203));
    expect([1, 699, 700, 1100, 1101].map((version) => recipients()[version - 1])).toEqual([
      [1, 3],
      [1, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
    ]);
  });

  test("a gap whose rows were purged with their group is skipped", async () => {
    const { delivery, versions } = deliveryOver({ stored: 0 });
    delivery.track(chatId, 0);
    await delivery.publish(change(5));
    expect(versions()).toEqual([5]);
  });

  test("changes that are read go to the members at their time: not to those who joined later, and to those who left since", async () => {
    const rows = new Map([
      [2, joined(2, 2)],
      [4, left(4, 3)],
    ]);
    const { delivery, recipients } = deliveryOver({ stored: 5, rows });
    delivery.track(chatId, 0);
    await delivery.publish(change(5));
    expect(recipients()).toEqual([
      [1, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
    ]);
  });

  test("the deletion of a group that has to be read, and the changes before it, go to its last members", async () => {
    const rows = new Map([
      [2, left(2, 3)],
      [3, eventMessage(3, { kind: "groupDeleted", byUserId: 1, memberIds: [1, 2] })],
    ]);
    const { delivery, delivered, recipients } = deliveryOver({ stored: 3, rows, memberIds: [] });
    delivery.track(chatId, 0);
    delivery.beginWrite([chatId])({ inDoubt: true });
    while (delivered.length < 3) await new Promise(setImmediate);
    expect(recipients()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
    ]);
  });

  test("the departure of a group's last member that has to be read goes to that member", async () => {
    const { delivery, delivered } = deliveryOver({ stored: 1, rows: new Map([[1, left(1, 3)]]), memberIds: [] });
    delivery.track(chatId, 0);
    delivery.beginWrite([chatId])({ inDoubt: true });
    while (delivered.length < 1) await new Promise(setImmediate);
    expect(delivered.map(({ recipientIds }) => recipientIds)).toEqual([[3]]);
  });
});

test("while the store cannot be read, requesters are answered in time, and then get the change as a push", async () => {
  jest.useFakeTimers();
  try {
    const store = { stored: 2, failures: 100 };
    const { delivery, delivered } = deliveryOver(store);
    delivery.track(chatId, 0);
    const outcome = delivery.publish({ ...change(2), requester: {} })?.catch((error: AppError) => error.kind);
    await jest.advanceTimersByTimeAsync(15_000);
    expect(await outcome).toBe("unavailable");
    expect(delivered).toEqual([]);
    store.failures = 0;
    await jest.advanceTimersByTimeAsync(5000);
    expect(delivered.map(({ message: { version }, requester }) => [version, requester])).toEqual([
      [1, undefined],
      [2, undefined],
    ]);
  } finally {
    jest.useRealTimers();
  }
});

test("what is being read when the history of the database ends is not delivered", async () => {
  const { delivery, versions, reads } = deliveryOver({ stored: 3 });
  delivery.track(chatId, 0);
  const published = delivery.publish(change(3));
  while (reads() === 0) await Promise.resolve();
  delivery.reset();
  await published;
  expect(versions()).toEqual([]);
});

test("a write that began before the history of the database ended does not bring back what was delivered in it", async () => {
  const { delivery, versions } = deliveryOver({ stored: 1 });
  delivery.track(chatId, 7);
  const endWrite = delivery.beginWrite([chatId]);
  delivery.reset();
  endWrite({ inDoubt: true });
  await delivery.publish(change(1));
  expect(versions()).toEqual([1]);
});

describe("delivery with several processes", () => {
  /** Two processes over one store and one bus. */
  function twoProcesses(options: { stored: number; startVersion: number }) {
    const store = Object.assign(options, { members: new Set<InProcessBus>() });
    return { here: deliveryOver(store), there: deliveryOver(store) };
  }

  /** Settles when everything up to a version has been delivered. */
  const until = async (versions: () => number[], last: number) => {
    while (versions().at(-1) !== last) await new Promise(setImmediate);
  };

  test("a change published by one process is delivered by the others, with its times as dates", async () => {
    const { here, there } = twoProcesses({ stored: 1, startVersion: 0 });
    const published = { ...change(1), message: joined(1, 2) };
    await there.delivery.publish(published);
    await until(here.versions, 1);
    expect(here.delivered).toEqual([published]);
  });

  test("a change lost on the bus is read when the next one arrives", async () => {
    const store = { stored: 1, startVersion: 0 };
    const { here, there } = twoProcesses(store);
    await there.delivery.publish(change(1));
    await until(here.versions, 1);
    store.stored = 3;
    await there.delivery.publish(change(3));
    await until(here.versions, 3);
    expect(here.versions()).toEqual([1, 2, 3]);
  });

  test("an untracked chat starts before changes that may be on the way, even for an own change", async () => {
    const { here } = twoProcesses({ stored: 9, startVersion: 6 });
    await here.delivery.publish(change(9));
    expect(here.versions()).toEqual([7, 8, 9]);
  });

  test("a version seen in the store is delivered once", async () => {
    const { here } = twoProcesses({ stored: 4, startVersion: 2 });
    here.delivery.advanceTo({ chatId, version: 4 });
    here.delivery.advanceTo({ chatId, version: 4 });
    await until(here.versions, 4);
    await here.delivery.publish(change(4));
    expect(here.versions()).toEqual([3, 4]);
  });

  test("a change of another history of the database is dropped, so that its version may be used again", async () => {
    const store = { stored: 2, startVersion: 0, members: new Set<InProcessBus>() };
    const here = deliveryOver({ ...store, epoch: { current: "restored" } });
    const behind = deliveryOver({ ...store, epoch: { current: "lost" } });
    const abreast = deliveryOver({ ...store, epoch: { current: "restored" } });
    await behind.delivery.publish(change(7));
    await abreast.delivery.publish(change(1));
    await until(here.versions, 1);
    await abreast.delivery.publish(change(2));
    await until(here.versions, 2);
    expect(here.versions()).toEqual([1, 2]);
  });

  test("bodies on the bus that are no changes are dropped", async () => {
    const members: Members = new Set();
    const here = deliveryOver({ stored: 1, startVersion: 0, members });
    const stranger = new InProcessBus(silentLog, members);
    for (const body of [{}, [], { message: {}, recipientIds: [1] }, { ...change(1), recipientIds: "all" }]) {
      stranger.publish("change", body);
    }
    stranger.publish("change", { ...change(1) });
    await until(here.versions, 1);
    expect(here.versions()).toEqual([1]);
  });
});
