import { describe, expect, test } from "@jest/globals";
import type { Database } from "../src/db/connect.ts";
import type { Requester } from "../src/domain/actor.ts";
import { ChatWriter } from "../src/writes/chat-transaction.ts";
import type { Committer } from "../src/writes/commit.ts";

describe("a change whose deliveries are delayed", () => {
  /** Commits a change that is delivered when the test says so. */
  function commitFor(requester: Requester | undefined) {
    let deliver = () => {};
    const delivery = new Promise<void>((resolve) => {
      deliver = resolve;
    });
    const committer = { commit: async () => ({ result: "done", deliveries: [delivery] }) } as unknown as Committer;
    const writer = new ChatWriter({ database: {} as Database, committer });
    return { answer: writer.commit(requester, async () => "done"), deliver };
  }
  const late = () => new Promise((resolve) => setImmediate(resolve, "waits"));

  test("is answered after them to a request whose answer has a place among them", async () => {
    const { answer, deliver } = commitFor({});
    expect(await Promise.race([answer, late()])).toBe("waits");
    deliver();
    expect(await answer).toBe("done");
  });

  test("is answered at once to other requests, such as the deletion of an account", async () => {
    const { answer } = commitFor(undefined);
    expect(await Promise.race([answer, late()])).toBe("done");
  });
});
