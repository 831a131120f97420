import type { Transaction } from "sequelize";
import type { Person } from "../../../domain/person.ts";
import { Block } from "../../../models/index.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

const maxRows = 1000;

/**
 * The SQL condition that one of two users blocks the other; `a` and `b` are SQL expressions of their ids. Index: the
 * primary key of blocks, twice.
 */
export const eitherBlocks = (a: string, b: string): string =>
  `(EXISTS (SELECT FROM blocks WHERE user_id = ${a} AND blocked_id = ${b})
    OR EXISTS (SELECT FROM blocks WHERE user_id = ${b} AND blocked_id = ${a}))`;

/** Returns the existing users whom a user blocks, the most recent first. Index: the primary key of blocks. */
export function blockedPeople(database: Database, userId: number): Promise<Person[]> {
  return select<Person>(
    database,
    `SELECT u.id, u.first_name AS "firstName", u.last_name AS "lastName"
       FROM blocks AS b
       JOIN users AS u ON u.id = b.blocked_id AND u.deleted_at IS NULL
      WHERE b.user_id = $userId
      ORDER BY b.created_at DESC, b.blocked_id
      LIMIT $maxRows`,
    { userId, maxRows },
  );
}

/** Whether the first person blocks the second. Ask under the lock of what depends on it. */
export async function blocks(userId: number, blockedId: number, transaction: Transaction): Promise<boolean> {
  return (await Block.count({ where: { userId, blockedId }, transaction })) > 0;
}
