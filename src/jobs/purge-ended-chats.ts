import { setTimeout as wait } from "node:timers/promises";
import type { Database } from "../db/connect.ts";
import { purgeEndedChat, someEndedChat } from "../db/queries/messages/ended-chats.ts";
import type { Logger } from "../logger.ts";

const intervalMs = 60_000;
/** How long processes that have not yet processed the end of a group can still read it, in milliseconds. */
const retentionMs = 60 * 60_000;
/** Pause between two chunks, so that sends do not wait behind a long purge, in milliseconds. */
const pauseMs = 50;

/**
 * Purges the messages of ended groups in chunks. Nobody can read them once the group has ended; this frees the space.
 * Rows with a client id stay, without content, so that a repeated send is not stored again.
 * @returns a function that stops it
 */
export function purgeEndedChats({ database, log }: { database: Database; log: Logger }): () => void {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    while (!signal.aborted) {
      const chatId = await someEndedChat(database, new Date(Date.now() - retentionMs)).catch((error) => {
        log.debug({ err: error }, "ended groups could not be queried");
        return undefined;
      });
      if (chatId === undefined) await wait(intervalMs, undefined, { signal, ref: false });
      else {
        await purgeEndedChat(database, chatId).catch((error) =>
          log.debug({ err: error }, "a chunk of messages could not be purged"),
        );
        await wait(pauseMs, undefined, { signal, ref: false });
      }
    }
  };
  // Rejects only when it is stopped while waiting.
  run().catch(() => {});
  return () => stopping.abort();
}
