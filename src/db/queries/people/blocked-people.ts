import type { Transaction } from "sequelize";
import type { Person } from "../../../domain/person.ts";
import { Block } from "../../../models/index.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { withAvatar } from "../avatars/avatars.ts";
import { shareChat } from "../chats/shared-chats.ts";

const maxRows = 1000;

/** The SQL condition that a user blocks another; both are SQL expressions of ids. Index: the primary key of blocks. */
export const isBlockedBy = (userId: string, blockingId: string): string =>
  `EXISTS (SELECT FROM blocks WHERE blocks.user_id = ${blockingId} AND blocks.blocked_id = ${userId})`;

/** The SQL condition that one of two users blocks the other. Index: the primary key of blocks, twice. */
export const eitherBlocks = (a: string, b: string): string => `(${isBlockedBy(a, b)} OR ${isBlockedBy(b, a)})`;

/**
 * Returns the existing users whom a user blocks, the most recent first; without those who block the user, who look like
 * deleted ones, unless the two share a chat. Index: the primary key of blocks.
 */
export async function blockedPeople(database: Database, userId: number): Promise<Person[]> {
  const rows = await select<Omit<Person, "avatarId"> & { avatarId: string | null }>(
    database,
    `SELECT u.id, u.first_name AS "firstName", u.last_name AS "lastName", u.avatar_id AS "avatarId"
       FROM blocks AS b
       JOIN users AS u ON u.id = b.blocked_id AND u.deleted_at IS NULL
      WHERE b.user_id = $userId
        AND (NOT ${isBlockedBy("$userId", "b.blocked_id")} OR ${shareChat("$userId", "b.blocked_id")})
      ORDER BY b.created_at DESC, b.blocked_id
      LIMIT $maxRows`,
    { userId, maxRows },
  );
  return rows.map(withAvatar);
}

/** Whether the first person blocks the second. What must stay true is asked in a transaction, under a lock. */
export async function blocks(userId: number, blockedId: number, transaction?: Transaction): Promise<boolean> {
  return (await Block.count({ where: { userId, blockedId }, ...(transaction && { transaction }) })) > 0;
}

/**
 * Which of these pairs may have a dialog: both users exist, and the second does not block the first. In the order of the
 * pairs. Takes no locks; what must stay true has to be asked again under a lock. Indexes: the primary keys of users and
 * blocks.
 */
export async function reachable(
  database: Database,
  pairs: readonly { userId: number; otherId: number }[],
): Promise<boolean[]> {
  const rows = await select<{ isReachable: boolean }>(
    database,
    `SELECT EXISTS (SELECT FROM users WHERE id = pair.user_id AND deleted_at IS NULL)
            AND EXISTS (SELECT FROM users WHERE id = pair.other_id AND deleted_at IS NULL)
            AND NOT ${isBlockedBy("pair.user_id", "pair.other_id")} AS "isReachable"
       FROM unnest($userIds::bigint[], $otherIds::bigint[]) WITH ORDINALITY AS pair (user_id, other_id, place)
      ORDER BY pair.place`,
    { userIds: pairs.map(({ userId }) => userId), otherIds: pairs.map(({ otherId }) => otherId) },
  );
  return rows.map(({ isReachable }) => isReachable);
}

/** Whether a user may know that another one exists, or did: not if the other one blocks the user. Index: users_pkey. */
export async function mayKnow(database: Database, pair: { userId: number; otherId: number }): Promise<boolean> {
  const rows = await select(
    database,
    `SELECT FROM users
      WHERE id = $otherId
        AND NOT ${isBlockedBy("$userId", "$otherId")}`,
    pair,
  );
  return rows.length > 0;
}

/**
 * Whether a user may add another one to groups: one who exists, while neither blocks the other. Takes no locks. Indexes: the
 * primary keys of users and blocks.
 */
export async function mayAdd(
  database: Database,
  pair: { userId: number; otherId: number },
  transaction?: Transaction,
): Promise<boolean> {
  const rows = await select(
    database,
    `SELECT FROM users
      WHERE id = $otherId AND deleted_at IS NULL
        AND NOT ${eitherBlocks("$userId", "$otherId")}`,
    pair,
    transaction,
  );
  return rows.length > 0;
}
