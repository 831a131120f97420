import { expect, test } from "@jest/globals";
import { password, useMessenger } from "../../../test/support/messenger.ts";
import { memory, type Store } from "../src/index.ts";
import { client, live, liveClient, until } from "./support/client.ts";

const server = useMessenger();

/** A store that can be read, and nothing can be written to. */
const full = (): Store => {
  const fail = () => Promise.reject(new Error("QuotaExceededError"));
  return { ...memory(), set: fail, delete: fail, batch: fail };
};

/** A store that the browser forbids. */
const forbidden = (): Store => {
  const fail = () => Promise.reject(new Error("SecurityError"));
  return { get: fail, set: fail, delete: fail, entries: fail, batch: fail };
};

test.each([
  ["full", full],
  ["forbidden", forbidden],
])("a bot whose store is %s handles each message once", async (_name, makeStore) => {
  const bot = await server().person("Echo");
  const ann = await liveClient(server(), await server().person("Ann"));
  const messenger = await liveClient(server(), bot, { store: makeStore() });
  const handled: string[] = [];
  messenger.handle("echo", (message, chat) => {
    handled.push(message.text);
    chat.send(`You said: ${message.text}`);
  });
  const chat = ann.dialogWith(bot.id);
  const timeline = chat.timeline();
  for (const text of ["one", "two"]) {
    await chat.send(text).sent;
    await until(timeline, ({ messages }) => messages.at(-1)?.text === `You said: ${text}`);
  }
  expect(handled).toEqual(["one", "two"]);
  expect(messenger.storage.value).toEqual({ state: "failed", reason: expect.stringContaining("Error") });
});

test("a log-out is refused while another tab has unsent messages, and can discard them", async () => {
  const ann = await server().person("Ann");
  const bob = await server().person("Bob");
  const store = memory();
  const first = await liveClient(server(), ann, { store });
  // A tab that was closed before it had a connection.
  class NoWebSocket {
    readyState = 0;
    send(): void {}
    close(): void {}
    addEventListener(): void {}
  }
  const second = client(server(), { store, WebSocket: NoWebSocket });
  await second.resume();
  const message = second.dialogWith(bob.id).send("Hello");
  await message.stored;

  await expect(first.logout()).rejects.toMatchObject({ code: "UNSENT" });
  await first.logout({ discard: true });
  expect(await store.entries()).toEqual([]);
  const again = client(server());
  await again.login({ email: ann.email, password });
  await live(again);
  expect(again.chats.value).toEqual([]);
});
