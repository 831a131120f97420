import { describe, expect, jest, test } from "@jest/globals";
import type { Requester } from "../src/domain/actor.ts";
import type { Change } from "../src/domain/change.ts";
import type { ChatMessage } from "../src/domain/message.ts";
import { InProcessBus, type Members } from "../src/bus/in-process-bus.ts";
import { Delivery } from "../src/delivery/delivery.ts";
import { silentLog } from "./support/silent.ts";

/* The order of news, with the moments in which they arrive chosen by the test, which no running server lets us do. */

const chatId = 7;

const message = (version: number): ChatMessage => ({
  id: version,
  chatId,
  seq: version,
  version,
  sender: { id: 1, firstName: "Ann", lastName: null },
  receiver: null,
  groupName: "new name",
  content: `text ${version}`,
  event: null,
  clientMessageId: null,
  replyTo: null,
  createdAt: new Date(),
  editedAt: null,
  deletedAt: null,
});

const joined = (version: number, userId: number): ChatMessage => ({
  ...message(version),
  event: { kind: "memberAdded", byUserId: 1, userId, subject: null },
});

const left = (version: number, userId: number): ChatMessage => ({
  ...message(version),
  event: { kind: "memberLeft", byUserId: userId, subject: null },
});

/** A delivery over a store of `stored` versions, which fails as often as it is told to. */
function deliveryOver(store: {
  stored: number;
  failures?: number;
  rows?: Map<number, ChatMessage>;
  /** Who is in the chat after everything that is stored. */
  memberIds?: number[];
  /** Where other processes write too: the version from which a chat that is not remembered starts, and their bus. */
  startOf?: number;
  members?: Members;
}) {
  const given: Change[] = [];
  let reads = 0;
  const delivery = new Delivery({
    store: {
      async changesAfter(_chatId, version, limit) {
        reads++;
        if (store.failures && store.failures-- > 0) throw new Error("the store is away");
        const missing = Array.from({ length: Math.max(0, store.stored - version) }, (_, index) => version + 1 + index);
        const messages = missing.slice(0, limit).map((number) => store.rows?.get(number) ?? message(number));
        const laterEvents = missing.slice(limit).flatMap((number) => store.rows?.get(number) ?? []);
        return { messages, laterEvents, memberIds: store.memberIds ?? [1, 2] };
      },
      waitForWriters: async () => {},
      ...(store.startOf !== undefined && { startVersion: async () => store.startOf ?? 0 }),
    },
    bus: new InProcessBus(silentLog, store.members),
    deliver: (change) => given.push(change),
    deliverSignal: () => {},
    log: silentLog,
  });
  return {
    delivery,
    given,
    versions: () => given.map((change) => change.message.version),
    /** Who was told of each change. */
    told: () => given.map(({ recipientIds }) => [...recipientIds].sort()),
    reads: () => reads,
  };
}

const news = (version: number): Change => ({ message: message(version), recipientIds: [1, 2] });

describe("delivery", () => {
  test("changes that come in their order go out at once, without a look at the store", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 3 });
    for (const version of [1, 2, 3]) await delivery.publish(news(version));
    expect(versions()).toEqual([1, 2, 3]);
    expect(reads()).toBe(0);
  });

  test("of two writers that hear of their commits the wrong way round, the order of the commits goes out", async () => {
    const { delivery, given, versions, reads } = deliveryOver({ stored: 2 });
    delivery.track(chatId, 0);
    const [first, second]: Requester[] = [{}, {}];
    const [endFirst, endSecond] = [delivery.beginWrite([chatId]), delivery.beginWrite([chatId])];
    const afterSecond = delivery.publish({ ...news(2), requester: second });
    endSecond({ inDoubt: false });
    expect(versions()).toEqual([]);
    void delivery.publish({ ...news(1), requester: first });
    endFirst({ inDoubt: false });
    await afterSecond;
    expect(versions()).toEqual([1, 2]);
    expect(given.map(({ requester }) => requester)).toEqual([first, second]);
    expect(given[0]?.requester).toBe(first);
    expect(reads()).toBe(0);
  });

  test("a write that adds nothing after all holds nobody up", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 1 });
    delivery.track(chatId, 0);
    const end = delivery.beginWrite([chatId]);
    await delivery.publish(news(1));
    end({ inDoubt: false });
    expect(versions()).toEqual([1]);
    expect(reads()).toBe(0);
  });

  test("a chat that is followed already goes on where it stood", async () => {
    const { delivery, versions } = deliveryOver({ stored: 6 });
    delivery.track(chatId, 4);
    delivery.track(chatId, 5);
    await delivery.publish(news(6));
    expect(versions()).toEqual([5, 6]);
  });

  test("what was written elsewhere is read before what comes after it", async () => {
    const { delivery, versions } = deliveryOver({ stored: 3 });
    delivery.track(chatId, 0);
    await delivery.publish(news(3));
    expect(versions()).toEqual([1, 2, 3]);
  });

  test("what is read while a write of ours is under way still knows who asked for it", async () => {
    const store = { stored: 3 };
    const { delivery, given, versions } = deliveryOver(store);
    delivery.track(chatId, 0);
    const requester: Requester = {};
    const third = delivery.publish(news(3));
    // Begun when the reading may have seen it already.
    const end = delivery.beginWrite([chatId]);
    store.stored = 4;
    await Promise.resolve();
    void delivery.publish({ ...news(4), requester });
    end({ inDoubt: false });
    await third;
    expect(versions()).toEqual([1, 2, 3, 4]);
    expect(given.at(-1)?.requester).toBe(requester);
  });

  test("a commit with an unknown outcome goes out if the store turns out to have it", async () => {
    const store = { stored: 2, failures: 1 };
    const { delivery, versions } = deliveryOver(store);
    await delivery.publish(news(1));
    const end = delivery.beginWrite([chatId]);
    end({ inDoubt: true });
    // The news of a later commit waits for the reading that is under way.
    store.stored = 3;
    await delivery.publish(news(3));
    expect(versions()).toEqual([1, 2, 3]);
  });

  test("a commit with an unknown outcome that did not take place is nothing", async () => {
    const { delivery, versions } = deliveryOver({ stored: 1 });
    await delivery.publish(news(1));
    delivery.beginWrite([chatId])({ inDoubt: true });
    await delivery.publish(news(2));
    expect(versions()).toEqual([1, 2]);
  });

  test("a commit in doubt that reaches the store only after it was looked for is found all the same", async () => {
    jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate"] });
    try {
      const store = { stored: 1 };
      const { delivery, versions, reads } = deliveryOver(store);
      await delivery.publish(news(1));
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

  test("while the store is away a gap waits, and is filled when the store is back", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 2, failures: 2 });
    delivery.track(chatId, 0);
    await delivery.publish(news(2));
    expect(versions()).toEqual([1, 2]);
    expect(reads()).toBe(3);
  });

  test("a gap of more rows than one reading gives is read to its end", async () => {
    const { delivery, versions } = deliveryOver({ stored: 1203 });
    delivery.track(chatId, 0);
    await delivery.publish(news(1203));
    expect(versions()).toEqual(Array.from({ length: 1203 }, (_, index) => index + 1));
  });

  test("of such a gap, too, the first rows go to those who were there then", async () => {
    const rows = new Map([
      [700, joined(700, 2)],
      [1100, left(1100, 3)],
    ]);
    const { delivery, told } = deliveryOver({ stored: 1203, rows });
    delivery.track(chatId, 0);
    await delivery.publish(news(1203));
    expect([1, 699, 700, 1100, 1101].map((version) => told()[version - 1])).toEqual([
      [1, 3],
      [1, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
    ]);
  });

  test("a gap whose rows are gone, for their group has ended, is passed over", async () => {
    const { delivery, versions } = deliveryOver({ stored: 0 });
    delivery.track(chatId, 0);
    await delivery.publish(news(5));
    expect(versions()).toEqual([5]);
  });

  test("what is read goes to those who were there then: not to who came later, and also to who has left since", async () => {
    const rows = new Map([
      [2, joined(2, 2)],
      [4, left(4, 3)],
    ]);
    const { delivery, told } = deliveryOver({ stored: 5, rows });
    delivery.track(chatId, 0);
    await delivery.publish(news(5));
    expect(told()).toEqual([
      [1, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
    ]);
  });

  test("the end of a group that has to be read goes to those who were in it, and so does what came before it", async () => {
    const event = { kind: "groupDeleted", byUserId: 1, memberIds: [1, 2], subject: null } as const;
    const rows = new Map<number, ChatMessage>([
      [2, left(2, 3)],
      [3, { ...message(3), event }],
    ]);
    const { delivery, given, told } = deliveryOver({ stored: 3, rows, memberIds: [] });
    delivery.track(chatId, 0);
    delivery.beginWrite([chatId])({ inDoubt: true });
    while (given.length < 3) await new Promise(setImmediate);
    expect(told()).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2],
    ]);
  });

  test("the end of a group whose last member has left, read again, goes to that member", async () => {
    const { delivery, given } = deliveryOver({ stored: 1, rows: new Map([[1, left(1, 3)]]), memberIds: [] });
    delivery.track(chatId, 0);
    delivery.beginWrite([chatId])({ inDoubt: true });
    while (given.length < 1) await new Promise(setImmediate);
    expect(given.map(({ recipientIds }) => recipientIds)).toEqual([[3]]);
  });
});

describe("delivery, where other processes write too", () => {
  /** Two processes over one store; the first has been told what the second announces. */
  function twoProcesses(stored: { stored: number; startOf: number }) {
    const store = Object.assign(stored, { members: new Set<InProcessBus>() });
    return { here: deliveryOver(store), there: deliveryOver(store) };
  }

  /** Settles when everything up to a version has been given out. */
  const until = async (given: () => number[], last: number) => {
    while (given().at(-1) !== last) await new Promise(setImmediate);
  };

  test("what one announces all give out, as it was, times and all", async () => {
    const { here, there } = twoProcesses({ stored: 1, startOf: 0 });
    await there.delivery.publish(news(1));
    await until(here.versions, 1);
    expect(here.given[0]?.message.createdAt).toBeInstanceOf(Date);
    expect(here.given[0]?.recipientIds).toEqual([1, 2]);
  });

  test("a hint that was lost costs a reading when the next one comes", async () => {
    const store = { stored: 1, startOf: 0 };
    const { here, there } = twoProcesses(store);
    await there.delivery.publish(news(1));
    await until(here.versions, 1);
    store.stored = 3;
    await there.delivery.publish(news(3));
    await until(here.versions, 3);
    expect(here.versions()).toEqual([1, 2, 3]);
  });

  test("a chat that is not remembered starts before what may be on its way, even for a write of one's own", async () => {
    const { here } = twoProcesses({ stored: 9, startOf: 6 });
    here.delivery.track(chatId, 8);
    await here.delivery.publish(news(9));
    expect(here.versions()).toEqual([7, 8, 9]);
  });

  test("what was only seen in the store is given out, once", async () => {
    const { here } = twoProcesses({ stored: 4, startOf: 2 });
    here.delivery.advanceTo({ chatId, version: 4 });
    here.delivery.advanceTo({ chatId, version: 4 });
    await until(here.versions, 4);
    await here.delivery.publish(news(4));
    expect(here.versions()).toEqual([3, 4]);
  });

  test("what is no change of ours is dropped", async () => {
    const members: Members = new Set();
    const here = deliveryOver({ stored: 1, startOf: 0, members });
    const stranger = new InProcessBus(silentLog, members);
    for (const body of [{}, [], { message: {}, recipientIds: [1] }, { ...news(1), recipientIds: "all" }]) {
      stranger.publish("change", body);
    }
    stranger.publish("change", { ...news(1) });
    await until(here.versions, 1);
    expect(here.versions()).toEqual([1]);
  });
});
