import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/* Times of sessions are set and compared by the clock of the database: the processes may disagree about the time. */

/** The columns of a session that a refresh needs. */
export interface StoredTokens {
  userId: number;
  /** SHA-256 of the current refresh token. */
  refreshHash: Buffer;
  /** SHA-256 of the previous one. */
  previousHash: Buffer | null;
  /** Milliseconds since the refresh token was last replaced. */
  ageMs: number;
}

/** Locks an active session and returns its tokens. */
export async function lockSession(
  database: Database,
  sessionId: number,
  transaction: Transaction,
): Promise<StoredTokens | undefined> {
  const [session] = await select<StoredTokens>(
    database,
    `SELECT user_id AS "userId", refresh_hash AS "refreshHash", previous_hash AS "previousHash",
            (EXTRACT(EPOCH FROM clock_timestamp() - refreshed_at) * 1000)::float8 AS "ageMs"
       FROM sessions
      WHERE id = $sessionId AND revoked_at IS NULL
        FOR UPDATE`,
    { sessionId },
    transaction,
  );
  return session;
}

/** Stores the next refresh token of a session, and the address at which it is used. */
export async function replaceRefreshToken(
  database: Database,
  change: { sessionId: number; refreshHash: Buffer; previousHash: Buffer; address: string },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `UPDATE sessions
        SET refresh_hash = $refreshHash, previous_hash = $previousHash, address = $address,
            refreshed_at = clock_timestamp(), last_used_at = clock_timestamp()
      WHERE id = $sessionId`,
    change,
    transaction,
  );
}

/** What an ended session becomes: nothing stays of its tokens and its device. */
const ended =
  "revoked_at = clock_timestamp(), address = NULL, user_agent = NULL, refresh_hash = '', previous_hash = NULL";

/** More than a user can have beyond the maximum. */
const maxSurplus = 10_000;

/**
 * Ends the least recently used active sessions of a user beyond a number, never the given one. Index: sessions_live_of_user.
 * @returns the ids of those that it ended
 */
export async function endSurplusSessions(
  database: Database,
  limits: { userId: number; sessionId: number; maxOthers: number },
  transaction: Transaction,
): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `WITH surplus AS (
            SELECT id FROM sessions
             WHERE user_id = $userId AND revoked_at IS NULL AND id <> $sessionId
             ORDER BY last_used_at DESC, id DESC
            OFFSET $maxOthers
             LIMIT $maxSurplus
          ), locked AS (
            SELECT id FROM sessions
             WHERE id IN (SELECT id FROM surplus) AND revoked_at IS NULL
             ORDER BY id
               FOR NO KEY UPDATE SKIP LOCKED
          )
     UPDATE sessions SET ${ended} FROM locked WHERE sessions.id = locked.id
  RETURNING sessions.id`,
    { ...limits, maxSurplus },
    transaction,
  );
  return rows.map(({ id }) => id);
}

/**
 * Ends the active sessions of a user: one, all but one, or all.
 * @returns the ids of those that it ended
 */
export async function endSessions(
  database: Database,
  { userId, only = null, except = null }: { userId: number; only?: number | null; except?: number | null },
  transaction?: Transaction,
): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `UPDATE sessions SET ${ended}
      WHERE user_id = $userId AND revoked_at IS NULL
        AND ($only::bigint IS NULL OR id = $only) AND ($except::bigint IS NULL OR id <> $except)
  RETURNING id`,
    { userId, only, except },
    transaction,
  );
  return rows.map(({ id }) => id);
}

/** Ends all active sessions of all users. @returns how many it ended */
export async function endAllSessions(database: Database): Promise<number> {
  const rows = await select(database, `UPDATE sessions SET ${ended} WHERE revoked_at IS NULL RETURNING id`, {});
  return rows.length;
}

/** Returns how many sessions are active: neither ended nor expired. */
export async function countActiveSessions(database: Database, lifetimeMs: number): Promise<number> {
  const [row] = await select<{ sessions: number }>(
    database,
    `SELECT count(*) AS sessions
       FROM sessions
      WHERE revoked_at IS NULL AND refreshed_at > clock_timestamp() - make_interval(secs => $lifetimeMs / 1000.0)`,
    { lifetimeMs },
  );
  return row?.sessions ?? 0;
}

/** An active session as its user sees it. */
export interface ListedSession {
  id: number;
  userAgent: string | null;
  createdAt: Date;
  lastUsedAt: Date;
}

/** Returns the active sessions of a user, the most recently used first. Index: sessions_live_of_user. */
export function sessionsOf(
  database: Database,
  { userId, lifetimeMs, limit }: { userId: number; lifetimeMs: number; limit: number },
): Promise<ListedSession[]> {
  return select<ListedSession>(
    database,
    `SELECT id, user_agent AS "userAgent", created_at AS "createdAt", last_used_at AS "lastUsedAt"
       FROM sessions
      WHERE user_id = $userId AND revoked_at IS NULL
        AND refreshed_at > clock_timestamp() - make_interval(secs => $lifetimeMs / 1000.0)
      ORDER BY last_used_at DESC, id DESC
      LIMIT $limit`,
    { userId, lifetimeMs, limit },
  );
}

/**
 * Whether the user with this e-mail key has an active session at an address. Indexes: users_email_key_unique,
 * sessions_live_of_user.
 */
export async function hasSessionAt(
  database: Database,
  where: { emailKeys: readonly string[]; address: string; lifetimeMs: number },
): Promise<boolean> {
  const rows = await select(
    database,
    `SELECT 1
       FROM users AS u
       JOIN sessions AS s ON s.user_id = u.id
      WHERE u.email_key = ANY ($emailKeys::text[]) AND s.revoked_at IS NULL AND s.address = $address
        AND s.refreshed_at > clock_timestamp() - make_interval(secs => $lifetimeMs / 1000.0)
      LIMIT 1`,
    where,
  );
  return rows.length > 0;
}
