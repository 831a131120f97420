import { QueryTypes } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { keepWhatWasSent } from "./sent-messages.ts";

const chunkSize = 1000;

/**
 * Returns a group that has ended at least this long ago, by the clock of the database, and whose messages have not all been
 * purged, if there is one. Index: chats_ended.
 */
export async function someEndedChat(
  database: Database,
  { endedForMs }: { endedForMs: number },
): Promise<number | undefined> {
  const rows = await select<{ id: number }>(
    database,
    `SELECT id FROM chats
      WHERE deleted_at <= clock_timestamp() - make_interval(secs => $endedForMs / 1000.0) AND last_message_id IS NOT NULL
      ORDER BY id
      LIMIT 1`,
    { endedForMs },
  );
  return rows[0]?.id;
}

/**
 * Purges one chunk of an ended group's messages, the newest first. `last_message_id` says where to continue, and is null
 * after the last chunk. Messages without a client id are removed. Those with one stay, without content, so that a
 * repeated send stores nothing and gets the same answer; they count as deleted at the time they were written, so they do
 * not look like recent changes. Index: messages_seq_unique.
 */
export async function purgeEndedChat(database: Database, chatId: number): Promise<void> {
  await database.query(
    `WITH ended AS (
            SELECT id, last_message_id FROM chats
             WHERE id = $chatId AND deleted_at IS NOT NULL
               FOR NO KEY UPDATE SKIP LOCKED
          ), chunk AS (
            SELECT message.id, message.client_message_id IS NULL AS is_removed,
                   row_number() OVER (ORDER BY message.seq DESC) > $chunkSize AS is_next
              FROM messages AS message
             WHERE message.chat_id = $chatId
               AND message.seq <= (SELECT newest.seq FROM ended JOIN messages AS newest ON newest.id = ended.last_message_id)
             ORDER BY message.seq DESC
             LIMIT $chunkSize + 1
          ), removed AS (
            DELETE FROM messages USING chunk WHERE messages.id = chunk.id AND NOT is_next AND is_removed
          ), emptied AS (
            UPDATE messages SET content = '', reply_to = NULL, deleted_at = COALESCE(deleted_at, created_at),${keepWhatWasSent}
              FROM chunk
             WHERE messages.id = chunk.id AND NOT is_next AND NOT is_removed AND event IS NULL
          )
     UPDATE chats SET last_message_id = (SELECT id FROM chunk WHERE is_next)
       FROM ended
      WHERE chats.id = ended.id`,
    { bind: { chatId, chunkSize }, type: QueryTypes.UPDATE },
  );
}
