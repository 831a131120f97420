import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { isAdmin } from "../../db/queries/administration/admins.ts";
import type { AuditOrigin } from "../../domain/administration.ts";
import { AppError } from "../../errors.ts";

/** @throws AppError of kind "forbidden" for everybody who is not an administrator, or is suspended */
export async function requireAdmin(database: Database, userId: number, transaction?: Transaction): Promise<void> {
  if (!(await isAdmin(database, userId, transaction)))
    throw new AppError("forbidden", "Only administrators may do this");
}

/**
 * Checks in the transaction of an action that its administrator still is one: another one may have changed that since the
 * request was accepted. Called after `requireAnotherAdmin`, where that is called.
 * @throws AppError of kind "forbidden"
 */
export async function requireActingAdmin(database: Database, by: AuditOrigin, transaction: Transaction): Promise<void> {
  if (by.actorId !== null) await requireAdmin(database, by.actorId, transaction);
}
