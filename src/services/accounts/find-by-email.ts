import type { FindOptions } from "sequelize";
import { User } from "../../models/index.ts";
import { emailKeys } from "../../models/keys.ts";

/** Finds the account of an e-mail address, also one that is stored under the key of an earlier version. */
export async function findByEmail(email: string, options: Omit<FindOptions, "where"> = {}): Promise<User | null> {
  const keys = emailKeys(email);
  const users = await User.findAll({ ...options, where: { emailKey: keys, deletedAt: null } });
  return keys.flatMap((key) => users.find(({ emailKey }) => emailKey === key) ?? [])[0] ?? null;
}
