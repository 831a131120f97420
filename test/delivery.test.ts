import { describe, expect, test } from "@jest/globals";
import type { ChatMessage } from "../src/db/queries/messages.ts";
import { type Change, Delivery, type Origin } from "../src/delivery/delivery.ts";
import { silent } from "./support/silent.ts";

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

/** A delivery over a store of `stored` versions, which fails as often as it is told to. */
function deliveryOver(store: { stored: number; failures?: number }) {
  const given: Change[] = [];
  let reads = 0;
  const delivery = new Delivery({
    store: {
      async changesAfter(_chatId, version, limit) {
        reads++;
        if (store.failures && store.failures-- > 0) throw new Error("the store is away");
        const missing = Array.from({ length: Math.max(0, store.stored - version) }, (_, index) => version + 1 + index);
        return missing.slice(0, limit).map(message);
      },
      memberIds: async () => [1, 2],
      settled: async () => {},
    },
    deliver: (change) => given.push(change),
    deliverSignal: () => {},
    log: silent,
  });
  return { delivery, given, versions: () => given.map((change) => change.message.version), reads: () => reads };
}

const news = (version: number): Change => ({ message: message(version), recipientIds: [1, 2] });

describe("delivery", () => {
  test("changes that come in their order go out at once, without a look at the store", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 3 });
    for (const version of [1, 2, 3]) await delivery.announce(news(version));
    expect(versions()).toEqual([1, 2, 3]);
    expect(reads()).toBe(0);
  });

  test("of two writers that hear of their commits the wrong way round, the order of the commits goes out", async () => {
    const { delivery, versions } = deliveryOver({ stored: 2 });
    delivery.expect(chatId, 1, undefined);
    delivery.expect(chatId, 2, undefined);
    await Promise.all([delivery.announce(news(2)), delivery.announce(news(1))]);
    expect(versions()).toEqual([1, 2]);
  });

  test("a chat nobody spoke of before starts at what is being committed, whoever is heard first", async () => {
    const { delivery, versions } = deliveryOver({ stored: 6 });
    delivery.expect(chatId, 5, undefined);
    delivery.expect(chatId, 6, undefined);
    await delivery.announce(news(6));
    await delivery.announce(news(5));
    expect(versions()).toEqual([5, 6]);
  });

  test("a change that is read from the store still knows who asked for it", async () => {
    const { delivery, given } = deliveryOver({ stored: 2 });
    const [first, second]: Origin[] = [{}, {}];
    delivery.expect(chatId, 1, first);
    delivery.expect(chatId, 2, second);
    await Promise.all([delivery.announce(news(2)), delivery.announce(news(1))]);
    expect(given.map(({ origin }) => origin)).toEqual([first, second]);
    expect(given[0]?.origin).toBe(first);
  });

  test("a version that was rolled back and written by someone else is theirs", async () => {
    const { delivery, given } = deliveryOver({ stored: 1 });
    delivery.expect(chatId, 1, { whoWasRolledBack: true });
    delivery.retract(chatId, 1);
    delivery.expect(chatId, 1, undefined);
    await delivery.announce(news(1));
    expect(given.map(({ origin }) => origin)).toEqual([undefined]);
  });

  test("a commit with an unknown outcome goes out if the store turns out to have it", async () => {
    const store = { stored: 2, failures: 1 };
    const { delivery, versions } = deliveryOver(store);
    await delivery.announce(news(1));
    delivery.expect(chatId, 2, undefined);
    delivery.recheck(news(2));
    // The news of a later commit waits for the reading that is under way.
    store.stored = 3;
    await delivery.announce(news(3));
    expect(versions()).toEqual([1, 2, 3]);
  });

  test("while the store is away a gap waits, and is filled when the store is back", async () => {
    const { delivery, versions, reads } = deliveryOver({ stored: 2, failures: 2 });
    delivery.expect(chatId, 1, undefined);
    await delivery.announce(news(2));
    expect(versions()).toEqual([1, 2]);
    expect(reads()).toBe(3);
  });

  test("a gap of more rows than one reading gives is read to its end", async () => {
    const { delivery, versions } = deliveryOver({ stored: 1203 });
    delivery.expect(chatId, 1, undefined);
    await delivery.announce(news(1203));
    expect(versions()).toEqual(Array.from({ length: 1203 }, (_, index) => index + 1));
  });
});
