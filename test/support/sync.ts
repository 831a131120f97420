import type { MessageItem } from "../../src/contract/messages.ts";
import type { Infer } from "../../src/contract/schema.ts";
import type { sync } from "../../src/ws/messages/chats/sync.ts";
import type { Device } from "./device.ts";
import type { TestMessenger } from "./messenger.ts";

/* Sync requests, and the parts of their answers that tests look at. */

export type SyncAnswer = Infer<(typeof sync)["item"]>;
export type SyncChat = SyncAnswer["chats"][number];
/** What a device knows of a chat, as `sync` takes it. */
export type KnownChat = [chatId: number, version: number, readSeq: number, clearedSeq?: number, peerReadSeq?: number];

/** Sends one sync request. */
export async function syncWith(
  device: Device,
  chats: readonly KnownChat[] = [],
  more: { range?: [number, number]; epoch?: string; newest?: number; stateVersion?: number } = {},
): Promise<SyncAnswer> {
  const known = chats.map((chat) => chat.filter((place) => place !== undefined));
  const { params } = await device.request("sync", { chats: known, ...more });
  return params.item;
}

/** What a device knows of a chat after applying this answer. */
export function knownOf(chat: {
  chatId: number;
  version: number;
  readSeq: number;
  clearedSeq: number;
  peerReadSeq?: number | undefined;
}): KnownChat {
  const { chatId, version, readSeq, clearedSeq, peerReadSeq } = chat;
  return peerReadSeq === undefined
    ? [chatId, version, readSeq, clearedSeq]
    : [chatId, version, readSeq, clearedSeq, peerReadSeq];
}

export const versionsOf = (chat: { messages: MessageItem[] } | undefined) =>
  chat?.messages.map(({ version }) => version);

export const textsOf = (chat: { messages: MessageItem[] } | undefined) => chat?.messages.map(({ message }) => message);

/** The chat in this answer; fails the test where it is missing. */
export function chatIn(answer: SyncAnswer, chatId: number): SyncChat {
  const found = answer.chats.find((chat) => chat.chatId === chatId);
  if (!found) throw new Error(`chat ${chatId} is missing: ${JSON.stringify(answer)}`);
  return found;
}

/** Inserts many messages at once, as if they had been sent while nobody was connected. */
export async function insertMessages(
  messenger: TestMessenger,
  { chatId, senderId, count, content = "text" }: { chatId: number; senderId: number; count: number; content?: string },
): Promise<void> {
  await messenger.sql(
    `WITH chat AS (
            UPDATE chats SET last_seq = last_seq + $count, version = version + $count
             WHERE id = $chatId
         RETURNING last_seq - $count AS seq, version - $count AS version
          ), written AS (
            INSERT INTO messages (chat_id, seq, version, sender_id, content, created_at)
            SELECT $chatId, chat.seq + n, chat.version + n, $senderId, $content, date_trunc('milliseconds', now())
              FROM chat CROSS JOIN generate_series(1, $count::int) AS n
         RETURNING id
          )
     SELECT count(*)::int AS n FROM written`,
    { chatId, senderId, count, content },
  );
  await messenger.sql(
    `WITH newest AS (SELECT id FROM messages WHERE chat_id = $chatId ORDER BY seq DESC LIMIT 1)
     UPDATE chats SET last_message_id = newest.id FROM newest WHERE chats.id = $chatId RETURNING chats.id`,
    { chatId },
  );
}
