import type { Transaction } from "sequelize";
import type { AgedMark, StoreMark } from "../../../domain/store-mark.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import type { SelectRows } from "../../select-rows.ts";

/** A changed chat, and its version after the change. */
export interface ChangedVersion {
  chatId: number;
  version: number;
}

/*
 * New messages are found by their ids, whatever the clocks do. Changes of them are found by their times, which the
 * clock of the database has set. It may have been set back or forward since a mark: the earlier of two times is right.
 */
export const timeOfMark = "LEAST($databaseTime::timestamptz, now() - make_interval(secs => $ageSeconds))";

/** The present moment. Index: messages_pkey. */
export async function currentMark(selectRows: SelectRows): Promise<StoreMark> {
  const [mark] = await selectRows<StoreMark>(
    `SELECT COALESCE((SELECT max(id) FROM messages), 0) AS "lastMessageId", clock_timestamp() AS "databaseTime"`,
  );
  if (!mark) throw new Error("the database did not tell the time");
  return mark;
}

/**
 * Returns the chats changed since a mark, except for the last half second: the process that made such a change is about
 * to publish it. Indexes: the end of messages_pkey for new messages, messages_changed_at for changed ones.
 */
export function recentChanges(database: Database, since: AgedMark): Promise<ChangedVersion[]> {
  return select<ChangedVersion>(
    database,
    `SELECT chat_id AS "chatId", max(version) AS version
       FROM (SELECT chat_id, version
               FROM messages
              WHERE id > $lastMessageId AND ${isOlderThanHalfASecond("created_at")}
              UNION ALL
             SELECT chat_id, version
               FROM messages
              WHERE changed_at > ${timeOfMark} AND ${isOlderThanHalfASecond("changed_at")}) AS changed
      GROUP BY chat_id
      ORDER BY chat_id`,
    { ...since },
  );
}

/** A time in the future is older: the clock of the database has gone back since. */
export const isOlderThanHalfASecond = (time: string): string =>
  `${time} NOT BETWEEN now() - interval '0.5 seconds' AND now()`;

/**
 * Returns the versions of chats before the changes made since a mark; unknown chats are left out. Index:
 * messages_version_unique, once for each chat.
 */
export function versionsBefore(
  database: Database,
  chatIds: readonly number[],
  mark: AgedMark,
  transaction?: Transaction,
): Promise<ChangedVersion[]> {
  return select<ChangedVersion>(
    database,
    `SELECT c.id AS "chatId",
            COALESCE((SELECT m.version
                        FROM messages AS m
                       WHERE m.chat_id = c.id AND m.id <= $lastMessageId
                         AND (m.changed_at IS NULL OR m.changed_at <= ${timeOfMark})
                       ORDER BY m.version DESC
                       LIMIT 1), 0) AS version
       FROM chats AS c
      WHERE c.id = ANY ($chatIds::bigint[])
      ORDER BY c.id`,
    { chatIds, ...mark },
    transaction,
  );
}
