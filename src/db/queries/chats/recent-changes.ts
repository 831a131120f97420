import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** A chat in which something changed, and its version after that. */
export interface ChangedVersion {
  chatId: number;
  version: number;
}

/**
 * The chats that were changed within the last seconds, but for the last half second: whoever made such a change is just
 * about to tell. New messages are found from the end of messages_pkey, changed ones by messages_revised_at.
 */
export async function recentChanges(database: Database, { seconds }: { seconds: number }): Promise<ChangedVersion[]> {
  // In a statement of its own, so that the planner of the next one knows how few messages are left.
  const [lastBefore] = await select<{ id: number }>(
    database,
    `SELECT id
       FROM messages
      WHERE created_at < now() - make_interval(secs => $seconds)
      ORDER BY id DESC
      LIMIT 1`,
    { seconds },
  );
  return select<ChangedVersion>(
    database,
    `SELECT chat_id AS "chatId", max(version) AS version
       FROM (SELECT chat_id, version
               FROM messages
              WHERE id > $afterId AND created_at < now() - interval '0.5 seconds'
              UNION ALL
             SELECT chat_id, version
               FROM messages
              WHERE (edited_at IS NOT NULL OR deleted_at IS NOT NULL)
                AND GREATEST(edited_at, deleted_at) > now() - make_interval(secs => $seconds)
                AND GREATEST(edited_at, deleted_at) < now() - interval '0.5 seconds') AS changed
      GROUP BY chat_id
      ORDER BY chat_id`,
    { seconds, afterId: lastBefore?.id ?? 0 },
  );
}

/** The version of a chat before everything that was changed within the last seconds. Index: messages_version_unique. */
export async function versionBefore(
  database: Database,
  { chatId, seconds }: { chatId: number; seconds: number },
): Promise<number> {
  const [row] = await select<{ version: number }>(
    database,
    `SELECT version
       FROM messages
      WHERE chat_id = $chatId
        AND GREATEST(created_at, edited_at, deleted_at) <= now() - make_interval(secs => $seconds)
      ORDER BY version DESC
      LIMIT 1`,
    { chatId, seconds },
  );
  return row?.version ?? 0;
}
