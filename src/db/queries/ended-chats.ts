import { QueryTypes } from "sequelize";
import type { Database } from "../connect.ts";
import { select } from "../select.ts";

const chunk = 1000;

/** A group that has ended and still has messages, if there is one. Index: chats_ended. */
export async function someEndedChat(database: Database): Promise<number | undefined> {
  const rows = await select<{ id: number }>(
    database,
    "SELECT id FROM chats WHERE deleted_at IS NOT NULL AND last_message_id IS NOT NULL ORDER BY id LIMIT 1",
    {},
  );
  return rows[0]?.id;
}

/**
 * Removes one chunk of an ended group's messages; after the last one marks the group as empty. The first message stays:
 * it holds the client id that the group was made with, which must not make it again.
 */
export async function purgeEndedChat(database: Database, chatId: number): Promise<void> {
  await database.query(
    `WITH removed AS (
            DELETE FROM messages
             WHERE chat_id = $chatId
               AND seq IN (SELECT seq FROM messages WHERE chat_id = $chatId AND seq > 1 ORDER BY seq LIMIT $chunk)
         RETURNING 1
          )
     UPDATE chats SET last_message_id = NULL
      WHERE id = $chatId AND deleted_at IS NOT NULL AND (SELECT count(*) FROM removed) < $chunk`,
    { bind: { chatId, chunk }, type: QueryTypes.UPDATE },
  );
}
