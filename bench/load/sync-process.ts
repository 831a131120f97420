import { setTimeout as wait } from "node:timers/promises";
import { request } from "./client.ts";
import { openSocket } from "./open-sockets.ts";
import { serveLoad } from "./serve-load.ts";

/** Devices that all reconnect at once. */
export interface SyncJob {
  url: string;
  devices: { token: string; chats: [chatId: number, version: number, readSeq: number][] }[];
}

export interface SyncResult {
  /** Time from the common start until each device has synced, in milliseconds, ascending. */
  readyMs: Float64Array;
  /** Number of messages received by all devices. */
  messages: number;
  /** Number of rejected and retried requests by error. */
  rejections: Record<string, number>;
}

/** Time until a rejected device retries, in milliseconds. */
const retryMs = 1000;

await serveLoad<SyncJob, SyncResult>(async ({ url, devices }) => async () => {
  const startedAt = performance.now();
  const rejections: Record<string, number> = {};
  const readyMs: number[] = [];
  let messages = 0;
  const retry = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const { message } = error as Error;
        rejections[message] = (rejections[message] ?? 0) + 1;
        await wait(retryMs);
      }
    }
  };
  const reconnect = async ({ token, chats }: SyncJob["devices"][number], index: number) => {
    const known = new Map(chats.map((chat) => [chat[0], chat]));
    const socket = await retry(() => openSocket(url, token, index));
    for (let more = true; more; ) {
      const { item } = (await retry(() => request(socket, "sync", { chats: [...known.values()] }))).params;
      for (const { chatId, version, readSeq, messages: received } of item.chats) {
        known.set(chatId, [chatId, version, readSeq]);
        messages += received.length;
      }
      more = item.hasMore;
    }
    readyMs.push(performance.now() - startedAt);
  };
  await Promise.all(devices.map(reconnect));
  return { readyMs: Float64Array.from(readyMs).sort(), messages, rejections };
});
