import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/**
 * Takes a shared lock on an account, so that it cannot be deleted before the transaction ends.
 * @returns false if there is no such account, or no longer
 */
export const lockAccountShared = (database: Database, userId: number, transaction: Transaction): Promise<boolean> =>
  lockExisting(database, { userId, mode: "KEY SHARE" }, transaction);

/**
 * Takes a lock on an account that keeps other changes of what belongs to it waiting, but no messages.
 * @returns false if there is no such account, or no longer
 */
export const lockAccountForChange = (database: Database, userId: number, transaction: Transaction): Promise<boolean> =>
  lockExisting(database, { userId, mode: "NO KEY UPDATE" }, transaction);

/** Takes an exclusive lock on an account: until the transaction ends no other may lock, change or delete it. */
export async function lockAccountExclusive(
  database: Database,
  userId: number,
  transaction: Transaction,
): Promise<void> {
  await select(database, "SELECT id FROM users WHERE id = $userId FOR UPDATE", { userId }, transaction);
}

async function lockExisting(
  database: Database,
  { userId, mode }: { userId: number; mode: "KEY SHARE" | "NO KEY UPDATE" },
  transaction: Transaction,
): Promise<boolean> {
  const rows = await select(
    database,
    `SELECT id FROM users WHERE id = $userId AND deleted_at IS NULL FOR ${mode}`,
    { userId },
    transaction,
  );
  return rows.length > 0;
}
