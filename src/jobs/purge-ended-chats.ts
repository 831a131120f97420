import type { Database } from "../db/connect.ts";
import { purgeEndedChat, someEndedChat } from "../db/queries/messages/ended-chats.ts";
import type { Logger } from "../logger.ts";
import { poll } from "./poll.ts";

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
  const task = async () => {
    const chatId = await someEndedChat(database, { endedForMs: retentionMs });
    if (chatId === undefined) return undefined;
    await purgeEndedChat(database, chatId);
    return pauseMs;
  };
  return poll({ description: "the purge of ended groups", intervalMs, runsAtStart: true, task, log });
}
