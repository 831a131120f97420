import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { lockAdmins } from "../../db/queries/administration/admins.ts";
import { AppError } from "../../errors.ts";

/**
 * Prevents that the server is left without an administrator. Called before an administrator is demoted, suspended or
 * deleted, as the first lock of the transaction.
 * @throws AppError of kind "lastAdmin"
 */
export async function requireAnotherAdmin(database: Database, userId: number, transaction: Transaction): Promise<void> {
  const admins = await lockAdmins(database, transaction);
  if (admins.length === 1 && admins[0] === userId) {
    throw new AppError("lastAdmin", "This is the last administrator. Make somebody else an administrator first");
  }
}
