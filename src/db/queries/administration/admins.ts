import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Whether an account is an administrator who is neither suspended nor deleted. Index: the primary key of users. */
export async function isAdmin(database: Database, userId: number, transaction?: Transaction): Promise<boolean> {
  const rows = await select(
    database,
    "SELECT 1 FROM users WHERE id = $userId AND role = 'admin' AND suspended_at IS NULL AND deleted_at IS NULL",
    { userId },
    transaction,
  );
  return rows.length > 0;
}

/** Whether there is an administrator who can log in. Index: users_admins. */
export async function hasAdmin(database: Database, transaction?: Transaction): Promise<boolean> {
  const rows = await select(
    database,
    "SELECT 1 FROM users WHERE role = 'admin' AND suspended_at IS NULL AND deleted_at IS NULL LIMIT 1",
    {},
    transaction,
  );
  return rows.length > 0;
}

/**
 * Locks the administrators who can log in, by rising id, so that two of them cannot demote each other at the same time.
 * Index: users_admins.
 * @returns their ids
 */
export async function lockAdmins(database: Database, transaction: Transaction): Promise<number[]> {
  const rows = await select<{ id: number }>(
    database,
    `SELECT id FROM users
      WHERE role = 'admin' AND suspended_at IS NULL AND deleted_at IS NULL
      ORDER BY id
        FOR NO KEY UPDATE`,
    {},
    transaction,
  );
  return rows.map(({ id }) => id);
}
