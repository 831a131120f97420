import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** A chat whose row in chat_texts is locked, with the first of its messages that are not indexed. */
export interface LockedTexts {
  chatId: number;
  /** The version of the chat. */
  version: number;
  messages: UnindexedMessage[];
}

/** A message that is new or changed since its chat was indexed. */
export interface UnindexedMessage {
  id: number;
  version: number;
  /** Null if it cannot be found: it is deleted, a system message, or its group has ended. */
  content: string | null;
}

/** The searchable text of a message. */
export interface MessageText {
  messageId: number;
  text: string;
  grams: readonly number[];
}

/**
 * Returns chats with messages that are not indexed, in order of their ids. Reads all chats: their primary key and that of
 * chat_texts.
 */
export async function chatsBehind(database: Database, { limit }: { limit: number }): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `SELECT c.id
       FROM chats AS c
  LEFT JOIN chat_texts AS t ON t.chat_id = c.id
      WHERE c.version > COALESCE(t.version, 0)
      ORDER BY c.id
      LIMIT $limit`,
    { limit },
  );
  return rows.map(({ id }) => id);
}

/**
 * Locks the rows of these chats in chat_texts, except those that another process has locked, and returns the chats with
 * messages that are not indexed: at most `maxMessages` in total, so the last chat may have more, and further chats be missing.
 * Index: messages_version_unique.
 */
export async function lockTexts(
  database: Database,
  { chatIds, maxMessages }: { chatIds: readonly number[]; maxMessages: number },
  transaction: Transaction,
): Promise<LockedTexts[]> {
  await select(
    database,
    `INSERT INTO chat_texts (chat_id)
     SELECT c.id FROM chats AS c WHERE c.id = ANY ($chatIds::bigint[]) ORDER BY c.id
         ON CONFLICT DO NOTHING`,
    { chatIds },
    transaction,
  );
  const rows = await select<LockedRow>(
    database,
    `WITH locked AS MATERIALIZED (
            SELECT chat_id, version FROM chat_texts
             WHERE chat_id = ANY ($chatIds::bigint[])
             ORDER BY chat_id
               FOR UPDATE SKIP LOCKED
          )
     SELECT c.id AS "chatId", c.version AS "chatVersion", m.id, m.version,
            CASE WHEN m.event IS NULL AND m.deleted_at IS NULL AND c.deleted_at IS NULL THEN m.content END AS content
       FROM locked
       JOIN chats AS c ON c.id = locked.chat_id
  LEFT JOIN LATERAL (SELECT id, version, event, deleted_at, content
                       FROM messages
                      WHERE chat_id = c.id AND version > locked.version
                      ORDER BY version
                      LIMIT $maxMessages) AS m ON true
      ORDER BY c.id, m.version
      LIMIT $maxMessages`,
    { chatIds, maxMessages },
    transaction,
  );
  return byChat(rows);
}

/** One message that is not indexed; without a message if the chat has none. */
interface LockedRow {
  chatId: number;
  chatVersion: number;
  id: number | null;
  version: number;
  content: string | null;
}

function byChat(rows: readonly LockedRow[]): LockedTexts[] {
  const chats = new Map<number, LockedTexts>();
  for (const { chatId, chatVersion, id, version, content } of rows) {
    const chat = chats.get(chatId) ?? { chatId, version: chatVersion, messages: [] };
    chats.set(chatId, chat);
    if (id !== null) chat.messages.push({ id, version, content });
  }
  return [...chats.values()];
}

/**
 * Stores texts of messages, removes those of others, and records up to which versions the locked chats are indexed. Indexes:
 * the primary keys. Rows are written in order of their ids, as deletions of several messages do.
 */
export async function storeTexts(
  database: Database,
  changes: {
    texts: readonly MessageText[];
    removedIds: readonly number[];
    indexed: readonly { chatId: number; version: number }[];
  },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `WITH given AS (
            SELECT * FROM json_to_recordset($texts) AS given ("messageId" bigint, text text, grams int4[])
          ), stored AS (
            INSERT INTO message_texts (message_id, chat_id, seq, sender_id, created_at, text, grams)
            SELECT m.id, m.chat_id, m.seq, m.sender_id, m.created_at, given.text, given.grams
              FROM given
              JOIN messages AS m ON m.id = given."messageId"
             ORDER BY m.id
                ON CONFLICT (message_id) DO UPDATE SET text = EXCLUDED.text, grams = EXCLUDED.grams
          ), removed AS (
            DELETE FROM message_texts WHERE message_id = ANY ($removedIds::bigint[])
          )
     UPDATE chat_texts AS t SET version = GREATEST(t.version, indexed.version)
       FROM json_to_recordset($indexed) AS indexed ("chatId" bigint, version bigint)
      WHERE t.chat_id = indexed."chatId"`,
    {
      texts: JSON.stringify(changes.texts),
      removedIds: changes.removedIds,
      indexed: JSON.stringify(changes.indexed),
    },
    transaction,
  );
}

/** A crash may lose what the transaction stores, all of it or nothing: it is only derived. */
export async function commitWithoutWaiting(database: Database, transaction: Transaction): Promise<void> {
  await database.query("SET LOCAL synchronous_commit = off", { transaction });
}

/** Removes all searchable texts; the job stores them again. Locks the tables in the order in which the job does. */
export async function clearTexts(database: Database): Promise<void> {
  await database.query("TRUNCATE chat_texts, message_texts");
}
