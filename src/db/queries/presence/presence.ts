import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { shareChat } from "../chats/shared-chats.ts";
import { eitherBlocks } from "../people/blocked-people.ts";

/** SQL condition: two users share a chat, and neither blocks the other. `a` and `b` are columns or parameters. */
const canSeeEachOther = (a: string, b: string): string => `${shareChat(a, b)} AND NOT ${eitherBlocks(a, b)}`;

/** Selects those of the users whose presence the viewer may see, and when they were last seen. */
export function visiblePresence(
  database: Database,
  who: { userId: number; userIds: readonly number[] },
): Promise<{ userId: number; lastSeenAt: Date | null }[]> {
  return select(
    database,
    `SELECT u.id AS "userId", u.last_seen_at AS "lastSeenAt"
       FROM users AS u
      WHERE u.id = ANY ($userIds::bigint[]) AND u.deleted_at IS NULL AND ${canSeeEachOther("$userId", "u.id")}
      ORDER BY u.id`,
    who,
  );
}

/** A watched user and the user who watches. */
export interface WatchPair {
  userId: number;
  watcherId: number;
}

/** Returns whether each watcher may see the user it watches, in the order of the pairs. */
export async function mayWatch(database: Database, pairs: readonly WatchPair[]): Promise<boolean[]> {
  const rows = await select<{ isAllowed: boolean }>(
    database,
    `SELECT ${canSeeEachOther("pair.user_id", "pair.watcher_id")} AS "isAllowed"
       FROM unnest($userIds::bigint[], $watcherIds::bigint[]) WITH ORDINALITY AS pair (user_id, watcher_id, place)
      ORDER BY pair.place`,
    { userIds: pairs.map(({ userId }) => userId), watcherIds: pairs.map(({ watcherId }) => watcherId) },
  );
  return rows.map(({ isAllowed }) => isAllowed);
}

/**
 * Stores how long ago these users were last seen, by the clock of the database. A later time is kept: other processes may
 * have stored one.
 */
export async function recordLastSeen(
  database: Database,
  seen: readonly { userId: number; agoMs: number }[],
): Promise<void> {
  await select(
    database,
    `UPDATE users SET last_seen_at = GREATEST(users.last_seen_at, clock_timestamp() - make_interval(secs => seen.ago_ms / 1000))
       FROM unnest($userIds::bigint[], $agoMs::float8[]) AS seen (user_id, ago_ms)
      WHERE users.id = seen.user_id AND users.deleted_at IS NULL`,
    { userIds: seen.map(({ userId }) => userId), agoMs: seen.map(({ agoMs }) => agoMs) },
  );
}
