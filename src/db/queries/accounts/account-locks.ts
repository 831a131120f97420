import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/**
 * Takes a shared lock on an account, so that it cannot be deleted before the transaction ends.
 * @returns false if there is no such account, or no longer
 */
export async function lockAccountShared(
  database: Database,
  userId: number,
  transaction: Transaction,
): Promise<boolean> {
  const rows = await select(
    database,
    "SELECT id FROM users WHERE id = $userId AND deleted_at IS NULL FOR KEY SHARE",
    { userId },
    transaction,
  );
  return rows.length > 0;
}

/**
 * Takes a lock on an account that keeps other changes of what belongs to it waiting, but no messages.
 * @returns false if there is no such account, or no longer
 */
export async function lockAccountForChange(
  database: Database,
  userId: number,
  transaction: Transaction,
): Promise<boolean> {
  const rows = await select(
    database,
    "SELECT id FROM users WHERE id = $userId AND deleted_at IS NULL FOR NO KEY UPDATE",
    { userId },
    transaction,
  );
  return rows.length > 0;
}

/** Takes an exclusive lock on an account: until the transaction ends no other may lock, change or delete it. */
export async function lockAccountExclusive(
  database: Database,
  userId: number,
  transaction: Transaction,
): Promise<void> {
  await select(database, "SELECT id FROM users WHERE id = $userId FOR UPDATE", { userId }, transaction);
}
