import type { Transaction } from "sequelize";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";

/** Whether a user has confirmed the e-mail address. Index: the primary key of users. */
export async function isEmailVerified(database: Database, userId: number): Promise<boolean> {
  const rows = await select(database, "SELECT 1 FROM users WHERE id = $userId AND email_verified_at IS NOT NULL", {
    userId,
  });
  return rows.length > 0;
}

/** Records that a user has received a mail at the address of the account. Changes nothing for any other address. */
export async function confirmEmail(
  database: Database,
  { userId, email }: { userId: number; email: string },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `UPDATE users SET email_verified_at = clock_timestamp()
      WHERE id = $userId AND email = $email AND email_verified_at IS NULL`,
    { userId, email },
    transaction,
  );
}
