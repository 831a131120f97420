import { setTimeout as wait } from "node:timers/promises";
import { onDatabase } from "../../../../test/support/on-database.ts";
import { type ChatView, type GroupDetails, readView } from "./check-views.ts";
import type { RandomDevice, RandomRun } from "./random-device.ts";
import { Disk, Program, untilLive } from "./simulated-device.ts";

/** What a device shows when everything is sent and received. */
export interface DeviceView {
  name: string;
  userId: number;
  views: readonly ChatView[];
  preferences: unknown;
}

interface StoredEntry {
  failure?: { code: string };
  message?: { clientMessageId: string };
}

/** The unsent entries of all stores. */
async function outboxEntries(devices: readonly RandomDevice[]): Promise<StoredEntry[]> {
  const all = await Promise.all(devices.map(({ disk }) => disk.store.entries()));
  return all.flat().flatMap(([key, value]) => (key.includes("/outbox/") ? [value as StoredEntry] : []));
}

/** Waits until everything is sent or refused. @returns what is not, after too long */
export async function untilSent(devices: readonly RandomDevice[]): Promise<readonly object[]> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const unsent = (await outboxEntries(devices)).filter(({ failure }) => !failure);
    if (unsent.length === 0 || Date.now() > deadline) return unsent;
    await wait(50);
  }
}

/** The codes with which messages were refused, by their ids. */
export async function failedMessages(devices: readonly RandomDevice[]): Promise<Map<string, string>> {
  const entries = await outboxEntries(devices);
  return new Map(
    entries.flatMap(({ message, failure }) => (message ? [[message.clientMessageId, failure?.code ?? "unsent"]] : [])),
  );
}

/**
 * What a view says, without what belongs to one device: the messages that it could not send. And without the avatars of other
 * users, whose pushes are best-effort.
 */
const comparable = (views: readonly ChatView[]) =>
  JSON.stringify(
    views
      .map(({ summary: { lastMessage: _, ...summary }, messages, peerReadSeq }) => ({
        ...summary,
        peer: summary.peer && { ...summary.peer, avatarId: undefined },
        peerReadSeq,
        messages: messages.filter(({ state }) => state === "sent"),
      }))
      .filter(({ messages, kind }) => messages.length > 0 || kind === "group")
      .sort((a, b) => (a.id ?? 0) - (b.id ?? 0)),
  );

const hasWaiting = (views: readonly ChatView[]) =>
  views.some(({ messages }) => messages.some(({ state }) => state === "queued" || state === "sending"));

/**
 * Waits until each device shows what one that has just logged in shows, and returns the views.
 * @param maxMessages limits what is read of each chat
 */
export async function readSettledViews(
  devices: readonly RandomDevice[],
  run: RandomRun,
  maxMessages?: number,
): Promise<DeviceView[]> {
  // A program notices within twenty seconds what another one of its store has sent or discarded.
  const deadline = Date.now() + 45_000;
  const fresh = new Map<number, string>();
  const ids = new Set(devices.map(({ user }) => user.id));
  for (const { id, email, password } of run.users) {
    if (!ids.has(id)) continue;
    const program = new Program(run.url, new Disk(), {}, run);
    await program.messenger.login({ email, password });
    await untilLive(program.messenger);
    fresh.set(id, comparable(await readView(program.messenger, maxMessages)));
    program.kill();
  }
  for (;;) {
    const views: DeviceView[] = [];
    for (const { name, user, messenger } of devices) {
      const { value: preferences } = messenger.preferences;
      views.push({ name, userId: user.id, preferences, views: await readView(messenger, maxMessages) });
    }
    const isSettled = views.every((one) => comparable(one.views) === fresh.get(one.userId) && !hasWaiting(one.views));
    // The comparison with the database says what differs.
    if (isSettled || Date.now() > deadline) return views;
    await wait(200);
  }
}

/** Reads names and roles from the database. */
export async function readGroupDetails(url: string): Promise<GroupDetails> {
  return onDatabase(url, async (client) => {
    const groups = await client.query("SELECT id, name FROM chats WHERE kind = 'group'");
    const roles = await client.query("SELECT user_id, chat_id, role FROM chat_members");
    return {
      names: new Map<number, string>(groups.rows.map(({ id, name }) => [Number(id), name])),
      roles: new Map<string, string>(roles.rows.map((row) => [`${row.user_id} ${row.chat_id}`, row.role])),
    };
  });
}
