import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../db/connect.ts";
import { purgeEndedChat, someEndedChat } from "../db/queries/messages/ended-chats.ts";
import type { Logger } from "../logger.ts";

const everyMs = 60_000;
/** How long the end of a group can still be read by a process that has not heard of it, in milliseconds. */
const keptMs = 60 * 60_000;
/** A breath between two chunks, so that people's messages never wait behind a long removal. */
const pauseMs = 50;

/**
 * Removes the messages of groups that have ended, a chunk at a time. Nobody can read them any more from the moment the
 * group ends; this gives the space back. What has a client id stays without its content: it is not to be stored again.
 * @returns what stops it
 */
export function purgeEndedChats({ database, log }: { database: Database; log: Logger }): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    while (!signal.aborted) {
      const chatId = await someEndedChat(database, new Date(Date.now() - keptMs)).catch((error) => {
        log.debug({ err: error }, "ended groups could not be looked up; trying again later");
        return undefined;
      });
      if (chatId === undefined) await wait(everyMs, undefined, { signal, ref: false });
      else {
        await purgeEndedChat(database, chatId).catch((error) => log.debug({ err: error }, "a chunk was not removed"));
        await wait(pauseMs, undefined, { signal, ref: false });
      }
    }
  };
  // Its only failure is being told to stop while it waits.
  run().catch(() => {});
  return () => stopping.abort();
}
