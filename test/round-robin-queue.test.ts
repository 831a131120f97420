import { describe, expect, test } from "@jest/globals";
import { type Preparation, RoundRobinQueue } from "../src/concurrency/round-robin-queue.ts";
import { controlledWork, settle } from "./support/controlled-work.ts";

describe("a round-robin queue", () => {
  const rejection = () => new Error("full");
  const limited: Preparation = { prepare: () => Promise.reject(new Error("limited")), undo: async () => {} };

  /** A queue with one task at a time, and what has been started in it. */
  function queueOf(maxQueued: number) {
    const { started, run } = controlledWork<void>();
    const queue = new RoundRobinQueue({ concurrency: 1, maxQueued, rejection });
    const results: string[] = [];
    let id = 0;
    const add = (address: string, account = "account", preparation?: Preparation) => {
      const name = `${address} ${account} ${++id}`;
      const done = queue.run({ address, account }, () => run([id]), preparation);
      void done.then(
        () => results.push(`${name} done`),
        (error: Error) => results.push(`${name} ${error.message}`),
      );
    };
    /** Ends all tasks, one after the other. */
    const endAll = async () => {
      for (let index = 0; ; index++) {
        await settle();
        if (!started[index]) return results;
        started[index]?.end();
      }
    };
    return { queue, add, endAll, results };
  }

  test("serves addresses in turn, and the accounts of an address in turn", async () => {
    const { add, endAll } = queueOf(10);
    for (const account of ["a", "a", "a", "b"]) add("flood", account);
    add("other", "c");
    expect(await endAll()).toEqual([
      "flood a 1 done",
      "flood a 2 done",
      "other c 5 done",
      "flood b 4 done",
      "flood a 3 done",
    ]);
  });

  test("gives a single address all places, and rejects what comes after", async () => {
    const { add, endAll } = queueOf(2);
    for (const account of ["a", "b", "c", "d"]) add("office", account);
    expect(await endAll()).toEqual(["office d 4 full", "office a 1 done", "office b 2 done", "office c 3 done"]);
  });

  test("gives the newest place of the address with most tasks to one with fewer", async () => {
    const { queue, add, endAll } = queueOf(4);
    for (const account of ["a", "b", "c", "d", "e"]) add("flood", account);
    expect(() => queue.assertCapacity("flood")).toThrow("full");
    queue.assertCapacity("other");
    add("other");
    expect(await endAll()).toEqual([
      "flood e 5 full",
      "flood a 1 done",
      "flood b 2 done",
      "other account 6 done",
      "flood c 3 done",
      "flood d 4 done",
    ]);
  });

  test("gives the newest place of the account with most tasks to another account of the address", async () => {
    const { add, endAll } = queueOf(3);
    for (let count = 0; count < 4; count++) add("office", "flood");
    add("office", "other");
    add("office", "flood");
    expect(await endAll()).toEqual([
      "office flood 6 full",
      "office flood 4 full",
      "office flood 1 done",
      "office flood 2 done",
      "office other 5 done",
      "office flood 3 done",
    ]);
  });

  test("takes no place from an address that has no more", async () => {
    const { queue, add, endAll } = queueOf(1);
    for (const address of ["one", "two", "three"]) add(address);
    expect(() => queue.assertCapacity("three")).toThrow("full");
    expect(await endAll()).toEqual(["three account 3 full", "one account 1 done", "two account 2 done"]);
  });

  test("counts tasks that will be queued before, by their address", () => {
    const { queue } = queueOf(3);
    queue.assertCapacity("flood", new Map([["flood", 3]]));
    expect(() => queue.assertCapacity("flood", new Map([["flood", 4]]))).toThrow("full");
    queue.assertCapacity("other", new Map([["flood", 4]]));
  });

  test("frees the place of a task whose preparation fails", async () => {
    const { add, endAll } = queueOf(1);
    add("one");
    add("one", "limited", limited);
    await settle();
    add("one", "later");
    expect(await endAll()).toEqual(["one limited 2 limited", "one account 1 done", "one later 3 done"]);
  });

  test("goes on after a running task whose preparation fails", async () => {
    const { add, endAll } = queueOf(1);
    add("one", "limited", limited);
    add("one");
    expect(await endAll()).toEqual(["one limited 1 limited", "one account 2 done"]);
  });

  test("undoes the preparation of a task whose place another one takes, and only then", async () => {
    const { add, endAll } = queueOf(3);
    const calls: string[] = [];
    const preparation = (name: string): Preparation => ({
      prepare: async () => void calls.push(`${name} prepared`),
      undo: async () => void calls.push(`${name} undone`),
    });
    for (const name of ["a", "b", "c", "d"]) add("flood", name, preparation(name));
    add("other", "e", preparation("e"));
    add("flood", "f", preparation("f"));
    await endAll();
    expect(calls).toEqual(["a prepared", "b prepared", "c prepared", "d prepared", "e prepared", "d undone"]);
  });
});
