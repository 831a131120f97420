import type { Transaction } from "sequelize";
import type { Role } from "../../models/chat-member.ts";
import type { StoredEvent } from "../../models/message.ts";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";

/**
 * Takes the row locks of living chats, by rising id.
 * @param options.wait false leaves out those that somebody else holds
 */
export function lockChats(
  database: Database,
  chatIds: readonly number[],
  { wait, transaction }: { wait: boolean; transaction: Transaction },
): Promise<{ id: number; kind: "dialog" | "group" }[]> {
  return select(
    database,
    `SELECT id, kind FROM chats
      WHERE id = ANY ($chatIds::bigint[]) AND deleted_at IS NULL
      ORDER BY id
        FOR NO KEY UPDATE ${wait ? "" : "SKIP LOCKED"}`,
    { chatIds },
    transaction,
  );
}

/** Who is in each of these chats, the longest there first. Index: chat_members_of_chat. */
export async function membersOf(
  database: Database,
  chatIds: readonly number[],
  transaction: Transaction,
): Promise<Map<number, Map<number, Role>>> {
  const rows = await select<{ chatId: number; userId: number; role: Role }>(
    database,
    `SELECT chat_id AS "chatId", user_id AS "userId", role
       FROM chat_members
      WHERE chat_id = ANY ($chatIds::bigint[])
      ORDER BY chat_id, joined_at, user_id`,
    { chatIds },
    transaction,
  );
  const chats = new Map<number, Map<number, Role>>();
  for (const { chatId, userId, role } of rows) {
    const members = chats.get(chatId) ?? new Map<number, Role>();
    chats.set(chatId, members.set(userId, role));
  }
  return chats;
}

/** A message to be written to a chat whose lock is held. */
export interface NewMessage {
  chatId: number;
  senderId: number;
  content?: string;
  event?: StoredEvent;
  clientMessageId?: string | undefined;
  replyTo?: number | undefined;
}

/**
 * Writes messages, each with the next `seq` and `version` of its chat, and counts them on the chat; their senders have
 * read them. All in one statement, under the locks of the chats.
 * @returns ids and versions, in the order of the messages
 */
export async function insertMessages(
  database: Database,
  messages: readonly NewMessage[],
  transaction: Transaction,
): Promise<{ id: number; version: number }[]> {
  const rows = await select<{ n: number; id: number; version: number }>(
    database,
    `WITH draft AS (
            SELECT *, row_number() OVER (PARTITION BY "chatId" ORDER BY n) AS place,
                   count(*) OVER (PARTITION BY "chatId") AS count
              FROM jsonb_to_recordset($drafts::jsonb)
                AS d (n int, "chatId" bigint, "senderId" bigint, "clientMessageId" text, "replyTo" bigint,
                      event jsonb, content text)
          ), numbered AS MATERIALIZED (
            SELECT draft.*, chats.last_seq + place AS seq, chats.version + place AS version,
                   nextval(pg_get_serial_sequence('messages', 'id')) AS id
              FROM (SELECT * FROM draft ORDER BY n) AS draft
              JOIN chats ON chats.id = draft."chatId"
          ), counted AS (
            UPDATE chats
               SET last_seq = newest.seq, version = newest.version, last_message_id = newest.id
              FROM numbered AS newest
             WHERE chats.id = newest."chatId" AND newest.place = newest.count
          ), read AS (
            UPDATE chat_members AS member
               SET read_seq = latest.seq
              FROM (SELECT "chatId", "senderId", max(seq) AS seq FROM numbered GROUP BY "chatId", "senderId") AS latest
             WHERE member.chat_id = latest."chatId" AND member.user_id = latest."senderId"
          ), written AS (
            INSERT INTO messages (id, chat_id, seq, version, sender_id, client_message_id, reply_to, event, content, created_at)
            SELECT id, "chatId", seq, version, "senderId", "clientMessageId", "replyTo", event, content,
                   date_trunc('milliseconds', clock_timestamp())
              FROM numbered
          )
     SELECT n, id, version FROM numbered ORDER BY n`,
    { drafts: JSON.stringify(messages.map((message, n) => ({ n, content: "", ...message }))) },
    transaction,
  );
  return rows;
}
