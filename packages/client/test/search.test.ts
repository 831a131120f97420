import { expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import { sendPrivately } from "../../../test/support/scenes.ts";
import type { MessageHits, Messenger, SearchOptions } from "../src/index.ts";
import { liveClient } from "./support/client.ts";

/* Search in messages on a real server. */

const server = useMessenger();

/** Searches once everything that was sent before is indexed. */
async function search(messenger: Messenger, query: string, options: SearchOptions = {}): Promise<MessageHits> {
  for (;;) {
    const found = await messenger.search(query, options);
    if (!found.behind) return found;
  }
}

test("hits have the chat, the message and where the words are, and come in pages", async () => {
  const ann = await server().person("Ann");
  const bob = await server().person("Bob");
  const device = await bob.connect();
  for (const text of ["Dinner one", "Lunch", "Dinner two", "Dinner three"]) await sendPrivately(device, ann.id, text);
  const messenger = await liveClient(server(), ann);
  const first = await search(messenger, "DINNER", { limit: 2 });
  expect(first.hits.map(({ message, highlights }) => [message.text, message.isMine, highlights])).toEqual([
    ["Dinner three", false, [[0, 6]]],
    ["Dinner two", false, [[0, 6]]],
  ]);
  const [hit] = first.hits;
  expect(hit?.chat.summary.value).toMatchObject({ title: "Bob", peer: { id: bob.id } });
  expect(hit?.chat).toBe(messenger.dialogWith(bob.id));
  const rest = await search(messenger, "DINNER", { limit: 2, cursor: first.cursor ?? "" });
  expect(rest.hits.map(({ message }) => message.text)).toEqual(["Dinner one"]);
  expect(rest.cursor).toBeNull();
  await expect(messenger.search("d")).rejects.toMatchObject({ code: "VALIDATION", field: "params.query" });
  await messenger.close();
  await expect(messenger.search("dinner")).rejects.toMatchObject({ code: expect.any(String) });
});
