import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { eitherBlocks } from "../people/blocked-people.ts";

/** Two people who are in a chat together and of whom neither blocks the other: `$a` and `$b` stand for columns. */
const knowEachOther = (a: string, b: string): string =>
  `EXISTS (SELECT 1 FROM chat_members AS mine
             JOIN chat_members AS theirs ON theirs.chat_id = mine.chat_id AND theirs.user_id = ${b}
             JOIN chats ON chats.id = mine.chat_id AND chats.version > 0
            WHERE mine.user_id = ${a})
   AND NOT ${eitherBlocks(a, b)}`;

/** Of some people those whose presence this person may know, and when they were last seen. */
export function knownPresence(
  database: Database,
  who: { userId: number; userIds: readonly number[] },
): Promise<{ userId: number; lastSeenAt: Date | null }[]> {
  return select(
    database,
    `SELECT u.id AS "userId", u.last_seen_at AS "lastSeenAt"
       FROM users AS u
      WHERE u.id = ANY ($userIds::bigint[]) AND u.deleted_at IS NULL AND ${knowEachOther("$userId", "u.id")}
      ORDER BY u.id`,
    who,
  );
}

/** Somebody who watches whether a person is there. */
export interface Watching {
  userId: number;
  watcherId: number;
}

/** Whether each of these watchers may know whom it watches, in the order given. */
export async function areAllowedWatchers(database: Database, pairs: readonly Watching[]): Promise<boolean[]> {
  const rows = await select<{ isAllowed: boolean }>(
    database,
    `SELECT ${knowEachOther("pair.user_id", "pair.watcher_id")} AS "isAllowed"
       FROM unnest($userIds::bigint[], $watcherIds::bigint[]) WITH ORDINALITY AS pair (user_id, watcher_id, place)
      ORDER BY pair.place`,
    { userIds: pairs.map(({ userId }) => userId), watcherIds: pairs.map(({ watcherId }) => watcherId) },
  );
  return rows.map(({ isAllowed }) => isAllowed);
}

/** Notes when these people were last here, unless something later is noted: other processes note them, too. */
export async function noteLastSeen(database: Database, seen: readonly [userId: number, at: Date][]): Promise<void> {
  await select(
    database,
    `UPDATE users SET last_seen_at = GREATEST(users.last_seen_at, seen.at)
       FROM unnest($userIds::bigint[], $moments::timestamptz[]) AS seen (user_id, at)
      WHERE users.id = seen.user_id AND users.deleted_at IS NULL`,
    { userIds: seen.map(([userId]) => userId), moments: seen.map(([, at]) => at.toISOString()) },
  );
}
