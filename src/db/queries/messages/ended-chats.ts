import { QueryTypes } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

const chunk = 1000;

/** A group that has ended whose messages were not all gone through, if there is one. Index: chats_ended. */
export async function someEndedChat(database: Database, endedBefore = new Date()): Promise<number | undefined> {
  const rows = await select<{ id: number }>(
    database,
    "SELECT id FROM chats WHERE deleted_at <= $endedBefore AND last_message_id IS NOT NULL ORDER BY id LIMIT 1",
    { endedBefore },
  );
  return rows[0]?.id;
}

/**
 * Goes through one chunk of an ended group's messages, the newest first; `last_message_id` says where to go on, and is
 * null after the last one. What has no client id is removed. The rest is emptied and stays, so that sending it again
 * stores nothing and is answered as ever. It is marked as deleted when it was written, which is news to nobody.
 * Index: messages_seq_unique.
 */
export async function purgeEndedChat(database: Database, chatId: number): Promise<void> {
  await database.query(
    `WITH ended AS (
            SELECT id, last_message_id FROM chats
             WHERE id = $chatId AND deleted_at IS NOT NULL
               FOR NO KEY UPDATE SKIP LOCKED
          ), chunk AS (
            SELECT message.id, message.client_message_id IS NULL AS is_removed,
                   row_number() OVER (ORDER BY message.seq DESC) > $chunk AS is_next
              FROM messages AS message
             WHERE message.chat_id = $chatId
               AND message.seq <= (SELECT newest.seq FROM ended JOIN messages AS newest ON newest.id = ended.last_message_id)
             ORDER BY message.seq DESC
             LIMIT $chunk + 1
          ), removed AS (
            DELETE FROM messages USING chunk WHERE messages.id = chunk.id AND NOT is_next AND is_removed
          ), emptied AS (
            UPDATE messages SET content = '', reply_to = NULL, deleted_at = COALESCE(deleted_at, created_at)
              FROM chunk
             WHERE messages.id = chunk.id AND NOT is_next AND NOT is_removed AND event IS NULL
          )
     UPDATE chats SET last_message_id = (SELECT id FROM chunk WHERE is_next)
       FROM ended
      WHERE chats.id = ended.id`,
    { bind: { chatId, chunk }, type: QueryTypes.UPDATE },
  );
}
