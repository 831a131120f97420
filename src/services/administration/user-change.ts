import { fn, type Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { endOneTimeTokens } from "../../db/queries/accounts/one-time-tokens.ts";
import { endSessions } from "../../db/queries/accounts/sessions.ts";
import { recordAction } from "../../db/queries/administration/audit.ts";
import type { AuditEntry, AuditOrigin, UserRole } from "../../domain/administration.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { User } from "../../models/index.ts";
import { emailKey } from "../../models/keys.ts";
import { type ActiveUser, isActive, nameColumns } from "../../models/user.ts";
import { findByEmail } from "../accounts/find-by-email.ts";
import { emailTaken } from "../accounts/new-account.ts";
import { requireActingAdmin } from "./acting-admin.ts";
import { requireAnotherAdmin } from "./last-admin.ts";

/** What an administrator changes of an account; what is left out stays. */
export interface UserChange {
  role?: UserRole;
  suspended?: boolean;
  firstName?: string;
  lastName?: string | null;
  email?: string;
}

/** Part of a change: the new columns, and what is recorded about it. */
interface Step {
  columns: Partial<User>;
  entry: Omit<AuditEntry, "target">;
}

/**
 * Changes an account and records each part of the change. Parts that change nothing are not recorded.
 * @returns the sessions that it has ended, to be published after the commit, and whether the name is another one
 * @throws AppError of kind "notFound", "emailTaken" or "lastAdmin"
 */
export async function applyChange(
  database: Database,
  { by, userId, change }: { by: AuditOrigin; userId: number; change: UserChange },
  transaction: Transaction,
): Promise<{ endedSessionIds: number[]; hasNewName: boolean }> {
  if (change.role === "user" || change.suspended) await requireAnotherAdmin(database, userId, transaction);
  await requireActingAdmin(database, by, transaction);
  const user = await User.findByPk(userId, { lock: transaction.LOCK.UPDATE, transaction });
  if (!isActive(user)) throw noSuchUser();
  const isSuspended = change.suspended === true && user.suspendedAt === null;
  const details = detailsStep(user, change);
  const hasNewEmail = details !== undefined && "email" in details.columns;
  if (hasNewEmail) await requireFreeEmail(userId, change.email ?? "", transaction);
  const steps = [roleStep(user, change), suspensionStep(user, change), details].filter((step) => step !== undefined);
  await user.update(Object.assign({}, ...steps.map(({ columns }) => columns)), { transaction });
  if (hasNewEmail) await endOneTimeTokens(database, userId, transaction);
  const endedSessionIds = isSuspended ? await endSessions(database, { userId }, transaction) : [];
  for (const { entry } of steps) {
    await recordAction(database, by, { ...entry, target: { type: "user", id: userId } }, transaction);
  }
  const hasNewName = details !== undefined && ("firstName" in details.columns || "lastName" in details.columns);
  return { endedSessionIds, hasNewName };
}

function roleStep(user: ActiveUser, { role }: UserChange): Step | undefined {
  if (role === undefined || role === user.role) return undefined;
  return { columns: { role }, entry: { action: "user.role", details: { role } } };
}

function suspensionStep({ suspendedAt }: ActiveUser, { suspended }: UserChange): Step | undefined {
  if (suspended === undefined || suspended === (suspendedAt !== null)) return undefined;
  const columns = { suspendedAt: suspended ? fn("clock_timestamp") : null } as Partial<User>;
  return { columns, entry: { action: suspended ? "user.suspend" : "user.resume" } };
}

/** Names and e-mail address. */
function detailsStep(user: ActiveUser, change: UserChange): Step | undefined {
  const fields = (["firstName", "lastName", "email"] as const).filter(
    (field) => change[field] !== undefined && change[field] !== user[field],
  );
  if (fields.length === 0) return undefined;
  const { firstName, lastName, email } = Object.fromEntries(
    fields.map((field) => [field, change[field]]),
  ) as UserChange;
  const columns = {
    ...nameColumns({ firstName, lastName }),
    ...(email !== undefined && { email, emailKey: emailKey(email) }),
  };
  return { columns, entry: { action: "user.update", details: { fields } } };
}

/** A unique index guarantees it under concurrency, except for keys of earlier versions. */
async function requireFreeEmail(userId: number, email: string, transaction: Transaction): Promise<void> {
  const holder = await findByEmail(email, { transaction });
  if (holder && holder.id !== userId) throw emailTaken();
}
