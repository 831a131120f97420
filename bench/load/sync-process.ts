import { setTimeout as wait } from "node:timers/promises";
import { ask } from "./client.ts";
import { openSocket } from "./open-sockets.ts";
import { serveLoad } from "./serve-load.ts";

/** Devices that come back all at once. */
export interface SyncJob {
  url: string;
  devices: { token: string; chats: [chatId: number, version: number, readSeq: number][] }[];
}

export interface SyncResult {
  /** From the common start until each device knew everything, in milliseconds, rising. */
  readyMs: Float64Array;
  /** Messages that all devices together were told. */
  messages: number;
  /** What was refused, and tried again. */
  refusals: Record<string, number>;
}

/** Until a device that was refused tries again, in milliseconds. */
const retryMs = 1000;

await serveLoad<SyncJob, SyncResult>(async ({ url, devices }) => async () => {
  const startedAt = performance.now();
  const refusals: Record<string, number> = {};
  const readyMs: number[] = [];
  let messages = 0;
  const insist = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const { message } = error as Error;
        refusals[message] = (refusals[message] ?? 0) + 1;
        await wait(retryMs);
      }
    }
  };
  const comeBack = async ({ token, chats }: SyncJob["devices"][number], index: number) => {
    const known = new Map(chats.map((chat) => [chat[0], chat]));
    const socket = await insist(() => openSocket(url, token, index));
    for (let more = true; more; ) {
      const { item } = (await insist(() => ask(socket, "sync", { chats: [...known.values()] }))).params;
      for (const { chatId, version, readSeq, messages: told } of item.chats) {
        known.set(chatId, [chatId, version, readSeq]);
        messages += told.length;
      }
      more = item.hasMore;
    }
    readyMs.push(performance.now() - startedAt);
  };
  await Promise.all(devices.map(comeBack));
  return { readyMs: Float64Array.from(readyMs).sort(), messages, refusals };
});
