import type { Transaction } from "sequelize";
import type { TaskOwner } from "../../concurrency/round-robin-queue.ts";
import { violatedConstraint } from "../../db/database-errors.ts";
import type { UserRole } from "../../domain/administration.ts";
import { AppError } from "../../errors.ts";
import { User } from "../../models/index.ts";
import { emailKey } from "../../models/keys.ts";
import { nameColumns } from "../../models/user.ts";
import { findByEmail } from "./find-by-email.ts";
import { operator, type Passwords } from "./passwords.ts";

/** What a new account is made of. */
export interface AccountInput {
  email: string;
  password: string;
  firstName: string;
  lastName?: string;
}

/**
 * The columns of a new account. Hashes the password, which takes a while.
 * @param owner for whom; by default for the operator
 */
export async function newAccount(
  passwords: Passwords,
  { email, password, firstName, lastName }: AccountInput,
  owner: TaskOwner = operator,
) {
  const passwordHash = await passwords.hash(password, { email, field: "password", owner });
  return { email, emailKey: emailKey(email), passwordHash, ...nameColumns({ firstName, lastName: lastName ?? null }) };
}

/**
 * Stores a new account, whose e-mail address counts as confirmed unless `emailVerifiedAt` is null. Wrap it in
 * `rejectTakenEmail`.
 * @returns its id
 * @throws AppError of kind "emailTaken"; a unique index guarantees it under concurrency
 */
export async function storeAccount(
  account: Awaited<ReturnType<typeof newAccount>> & { role?: UserRole; emailVerifiedAt?: null },
  transaction: Transaction,
): Promise<number> {
  if (await findByEmail(account.email, { transaction })) throw emailTaken();
  const { id } = await User.create(account, { transaction });
  return id;
}

export const emailTaken = () => new AppError("emailTaken", "This e-mail address is already in use");

/** Runs a write, and says so if it failed because another account has the e-mail address. */
export async function rejectTakenEmail<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedConstraint(error) !== "users_email_key_unique") throw error;
    throw emailTaken();
  }
}
