import { afterAll, expect, test } from "@jest/globals";
import { useMessenger } from "../../../test/support/messenger.ts";
import type { ChatSummary } from "../src/index.ts";
import { FaultProxy } from "./support/fault-proxy.ts";
import { logIn, person } from "./support/scenes.ts";
import { Disk, Program, until } from "./support/simulated-device.ts";

/* What was written offline is sent at the speed that the server allows. */

const perSecond = 40;
const atOnce = 40;
const server = useMessenger({
  RATE_LIMITS: "on",
  LIMIT_MESSAGES_PER_USER: `${atOnce}+${perSecond}/s`,
  LIMIT_LOGINS_PER_ADDRESS: "1000+100/s",
});
let proxy: FaultProxy | undefined;
let after: Program | undefined;
afterAll(async () => {
  after?.kill();
  await proxy?.close();
});

test("hundreds of messages for many chats that were written offline are sent in order, within the rate limits", async () => {
  const ann = await person(server());
  const others = [];
  for (let count = 0; count < 24; count++) others.push(await person(server()));
  proxy = await FaultProxy.inFrontOf(server().port);
  const disk = new Disk();
  const before = await logIn(proxy.url, ann, disk);
  proxy.isRefusing = true;
  proxy.cutAll();
  const stored: Promise<void>[] = [];
  for (let number = 0; number < 12; number++) {
    for (const { id } of others) stored.push(before.messenger.dialogWith(id).send(`message ${number}`).stored);
  }
  await Promise.all(stored);
  before.kill();

  after = new Program(proxy.url, disk);
  await after.messenger.resume();
  const states: string[] = [];
  after.messenger.connection.subscribe(({ state }) => states.push(state));
  const shown = new Set<string>();
  after.messenger.chats.subscribe((chats) => {
    for (const { lastMessage } of chats) shown.add(lastMessage?.state ?? "");
  });
  proxy.isRefusing = false;
  const startedAt = Date.now();
  const isSent = (chats: readonly ChatSummary[]) =>
    chats.length === others.length && chats.every(({ lastMessage }) => lastMessage?.state === "sent");
  await until(after.messenger.chats, isSent, 60_000);
  const seconds = (Date.now() - startedAt) / 1000;

  expect([...shown].sort()).toEqual(["queued", "sending", "sent"]);
  const lastStates = states.slice(states.indexOf("live"));
  expect(lastStates).toEqual(["live"]);
  const rows = await server().sql<{ chatId: number; texts: string[] }>(
    `SELECT chat_id AS "chatId", array_agg(content ORDER BY seq) AS texts FROM messages WHERE sender_id = $id GROUP BY chat_id`,
    { id: ann.id },
  );
  const inOrder = Array.from({ length: 12 }, (_, number) => `message ${number}`);
  expect(rows.map(({ texts }) => texts)).toEqual(others.map(() => inOrder));
  // No slower than the limit makes it.
  expect(seconds).toBeLessThan((2 * 12 * others.length) / perSecond + 5);
}, 90_000);
