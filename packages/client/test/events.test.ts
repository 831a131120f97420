import { expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import { memory } from "../src/index.ts";
import { client, live, liveClient, until } from "./support/client.ts";

const server = useMessenger();

test("the first message of a stranger is reported, after the chat", async () => {
  const bob = await server().person("Bob");
  const anns = await liveClient(server(), await server().person("Ann"));
  const bobs = await liveClient(server(), bob);
  const events = bobs.events();
  const notified: string[] = [];
  bobs.on("message", ({ message }) => notified.push(message.text));

  await anns.dialogWith(bob.id).send("Hello").sent;
  expect((await events.next()).value).toMatchObject({ type: "joined" });
  await until(bobs.chats, ([chat]) => chat?.unread === 1);
  expect(notified).toEqual(["Hello"]);
  expect((await events.next()).value).toMatchObject({ type: "message", message: { text: "Hello" } });
});

test("the messages of the first start on a device are not reported", async () => {
  const ann = await server().person("Ann");
  const bob = await server().person("Bob");
  await (await liveClient(server(), ann)).dialogWith(bob.id).send("Hello").sent;
  const bobs = client(server(), { store: memory() });
  await bobs.login({ email: bob.email, password: "correct horse battery" });
  const notified: string[] = [];
  bobs.on("message", ({ message }) => notified.push(message.text));
  await live(bobs);
  expect(bobs.chats.value).toHaveLength(1);
  expect(notified).toEqual([]);
});
