import type { FindOptions } from "sequelize";
import { noSuchUser } from "../../domain-errors.ts";
import { User } from "../../models/index.ts";
import { emailKeys } from "../../models/keys.ts";

/** Finds the account of an e-mail address, also one that is stored under the key of an earlier version. */
export async function findByEmail(email: string, options: Omit<FindOptions, "where"> = {}): Promise<User | null> {
  const keys = emailKeys(email);
  const users = await User.findAll({ ...options, where: { emailKey: keys, deletedAt: null } });
  return keys.flatMap((key) => users.find(({ emailKey }) => emailKey === key) ?? [])[0] ?? null;
}

/** Finds the account of an e-mail address. @throws AppError of kind "notFound" if there is none */
export async function requireByEmail(email: string, options: Omit<FindOptions, "where"> = {}): Promise<User> {
  const user = await findByEmail(email, options);
  if (!user) throw noSuchUser();
  return user;
}
