import type { StateEntry } from "../../../domain/personal-state.ts";
import type { AgedMark } from "../../../domain/store-mark.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { isOlderThanHalfASecond, timeOfMark } from "../chats/recent-changes.ts";

/**
 * Returns the users whose personal state has changed since a mark, except for the last half second, and the newest versions.
 * Index: user_state_changed_at.
 */
export function recentStates(
  database: Database,
  { databaseTime, ageSeconds }: AgedMark,
): Promise<{ userId: number; version: number }[]> {
  return select(
    database,
    `SELECT user_id AS "userId", max(version) AS version
       FROM user_state
      WHERE changed_at > ${timeOfMark} AND ${isOlderThanHalfASecond("changed_at")}
      GROUP BY user_id
      ORDER BY user_id`,
    { databaseTime, ageSeconds },
  );
}

/** Returns the key that a change was about; undefined if it has changed again. Index: user_state_version_unique. */
export async function stateEntry(
  database: Database,
  change: { userId: number; version: number },
): Promise<StateEntry | undefined> {
  const [row] = await select<StateEntry>(
    database,
    `SELECT version AS "stateVersion", key, value FROM user_state WHERE user_id = $userId AND version = $version`,
    change,
  );
  return row;
}
