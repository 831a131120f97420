import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** A changed chat, and its version after the change. */
export interface ChangedVersion {
  chatId: number;
  version: number;
}

/**
 * Returns the chats changed within the last seconds, except for the last half second: the process that made such a change
 * is about to publish it. Indexes: the end of messages_pkey for new messages, messages_revised_at for changed ones.
 */
export async function recentChanges(database: Database, { seconds }: { seconds: number }): Promise<ChangedVersion[]> {
  // In a statement of its own, so that the planner knows how few messages the next one has to read.
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

/** Returns the version of a chat before the changes of the last seconds. Index: messages_version_unique. */
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
