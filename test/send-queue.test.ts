import { describe, expect, test } from "@jest/globals";
import { type OrderedSend, SendQueue } from "../src/writes/send-queue.ts";

/* The scheduling of sends: what may go into the next batch beside those in flight. */

interface NamedSend extends OrderedSend {
  name: string;
}

const send = (name: string, senderId: number, chatKey: string, clientMessageId?: string): NamedSend => ({
  name,
  senderId,
  chatKey,
  clientMessageId,
});

function queueOf(sends: readonly NamedSend[], { concurrency = 2, maxBatchSize = 500 } = {}) {
  const queue = new SendQueue<NamedSend>({ concurrency, maxBatchSize });
  for (const one of sends) queue.add(one);
  const take = () => {
    const batch = queue.takeBatch();
    return batch && { batch, names: batch.sends.map(({ name }) => name) };
  };
  return { queue, take };
}

const namesOf = (taken: { names: string[] } | undefined) => taken?.names;

describe("the send queue", () => {
  test("without a batch in flight, all queued sends start together in the order of their arrival", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 1, "7"), send("c", 2, "8")]);
    expect(namesOf(take())).toEqual(["a", "b", "c"]);
    expect(queue.length).toBe(0);
  });

  test("an empty queue has no batch", () => {
    expect(queueOf([]).take()).toBeUndefined();
  });

  test("a batch has at most the maximum size, and the next one continues after it", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 2, "8"), send("c", 1, "7")], { maxBatchSize: 2 });
    const first = take();
    expect(first?.names).toEqual(["a", "b"]);
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["c"]);
  });

  test("no more batches are in flight than the concurrency allows", () => {
    const { queue, take } = queueOf([send("a", 1, "7")], { concurrency: 1 });
    const first = take();
    queue.add(send("b", 2, "8"));
    expect(take()).toBeUndefined();
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["b"]);
  });

  test("beside a batch in flight only other senders' sends to other chats start", () => {
    const { queue, take } = queueOf([send("a", 1, "7")]);
    take();
    queue.add(send("same sender", 1, "8"));
    queue.add(send("same chat", 2, "7"));
    queue.add(send("other", 3, "9"));
    expect(namesOf(take())).toEqual(["other"]);
  });

  test("a batch beside one in flight waits until it is as large", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 2, "8")]);
    take();
    queue.add(send("c", 3, "9"));
    expect(take()).toBeUndefined();
    queue.add(send("d", 4, "10"));
    expect(namesOf(take())).toEqual(["c", "d"]);
  });

  test("a send blocked by its chat also blocks later sends of its sender to other chats", () => {
    const { queue, take } = queueOf([send("in flight", 1, "7")]);
    const first = take();
    queue.add(send("blocked", 2, "7"));
    queue.add(send("later of the sender", 2, "8"));
    queue.add(send("other", 3, "9"));
    expect(namesOf(take())).toEqual(["other"]);
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["blocked", "later of the sender"]);
  });

  test("a send blocked by its sender also blocks later sends of others to its chat", () => {
    const { queue, take } = queueOf([send("in flight", 1, "7")]);
    const first = take();
    queue.add(send("blocked", 1, "8"));
    queue.add(send("later to the chat", 2, "8"));
    queue.add(send("other", 3, "9"));
    expect(namesOf(take())).toEqual(["other"]);
    if (first) queue.finish(first.batch, []);
    expect(namesOf(take())).toEqual(["blocked", "later to the chat"]);
  });

  test("a repeat of a client id waits for the first one to be stored, and holds up no other sender", () => {
    const { queue, take } = queueOf([send("first", 1, "7", "id-1"), send("repeat", 1, "7", "id-1"), send("b", 2, "8")]);
    const batch = take();
    expect(batch?.names).toEqual(["first", "b"]);
    if (batch) queue.finish(batch.batch, []);
    expect(namesOf(take())).toEqual(["repeat"]);
  });

  test("the same client id of another sender is no repeat", () => {
    const { take } = queueOf([send("a", 1, "7", "id-1"), send("b", 2, "7", "id-1")]);
    expect(namesOf(take())).toEqual(["a", "b"]);
  });

  test("a sender's sends behind a repeat wait with it", () => {
    const { queue, take } = queueOf([
      send("first", 1, "7", "id-1"),
      send("repeat", 1, "7", "id-1"),
      send("behind", 1, "8", "id-2"),
    ]);
    const batch = take();
    expect(batch?.names).toEqual(["first"]);
    if (batch) queue.finish(batch.batch, []);
    expect(namesOf(take())).toEqual(["repeat", "behind"]);
  });

  test("sends that could not be stored return to the head of the queue in their order", () => {
    const { queue, take } = queueOf([send("a", 1, "7"), send("b", 2, "8"), send("c", 3, "7")]);
    const first = take();
    queue.add(send("d", 1, "7"));
    if (first)
      queue.finish(
        first.batch,
        [first.batch.sends[0], first.batch.sends[2]].flatMap((one) => one ?? []),
      );
    expect(namesOf(take())).toEqual(["a", "c", "d"]);
  });
});
