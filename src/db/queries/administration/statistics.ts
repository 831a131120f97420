import { type Statistics, statisticsDays } from "../../../domain/administration.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** What the database knows of the statistics. */
export type StoredStatistics = Omit<Statistics, "sockets">;

/**
 * Counts accounts, chats, messages and files. Reads the tables of accounts, sessions, chats and files, and of the messages only
 * those of the last 30 days. Index: messages_created_at.
 */
export async function storedStatistics(database: Database): Promise<StoredStatistics> {
  const [usage] = await select<{ users: number; day: number; week: number; month: number }>(
    database,
    `WITH used AS (
            SELECT user_id, max(last_used_at) AS at FROM sessions WHERE revoked_at IS NULL GROUP BY user_id
          ), accounts AS (
            SELECT clock_timestamp() - GREATEST(u.last_seen_at, used.at) AS age
              FROM users AS u
         LEFT JOIN used ON used.user_id = u.id
             WHERE u.deleted_at IS NULL
          )
     SELECT count(*)::int AS users,
            count(*) FILTER (WHERE age < interval '24 hours')::int AS day,
            count(*) FILTER (WHERE age < interval '7 days')::int AS week,
            count(*) FILTER (WHERE age < interval '30 days')::int AS month
       FROM accounts`,
    {},
  );
  const [contents] = await select<{ chats: number; messages: number; databaseBytes: number; fileBytes: number }>(
    database,
    `SELECT count(*)::int AS chats, COALESCE(sum(last_seq), 0)::bigint AS messages,
            pg_database_size(current_database()) AS "databaseBytes",
            (SELECT COALESCE(sum(stored_size), 0)::bigint FROM files WHERE removed_at IS NULL) AS "fileBytes"
       FROM chats
      WHERE deleted_at IS NULL AND last_seq > 0`,
    {},
  );
  const days = await select<{ messages: number }>(
    database,
    `WITH today AS (SELECT date_trunc('day', clock_timestamp(), 'UTC') AS start),
          written AS (
            SELECT date_trunc('day', created_at, 'UTC') AS start, count(*)::int AS messages
              FROM messages
             WHERE created_at >= (SELECT start FROM today) - make_interval(hours => 24 * ($days - 1))
             GROUP BY 1
          )
     SELECT COALESCE(written.messages, 0) AS messages
       FROM today, generate_series(0, $days - 1) AS back
  LEFT JOIN written ON written.start = (SELECT start FROM today) - make_interval(hours => 24 * back)
      ORDER BY back DESC`,
    { days: statisticsDays },
  );
  if (!usage || !contents) throw new Error("the database returned no statistics");
  const { users, ...active } = usage;
  return { users, active, ...contents, messagesPerDay: days.map(({ messages }) => messages) };
}
