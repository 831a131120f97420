import { randomBytes } from "node:crypto";
import type { Database } from "../../db/connect.ts";
import { User } from "../../models/index.ts";
import { emailKey } from "../../models/user.ts";
import type { Passwords } from "./passwords.ts";
import { noSuchUser } from "../../domain-errors.ts";
import { revokeSessions } from "./sessions.ts";

/**
 * Gives an account a new password and ends all its sessions. For operators: there is no mail in this product, so
 * somebody who forgot the password asks a person. Running servers close the sockets within two seconds.
 * @returns the new password, which is shown once and stored nowhere
 */
export async function resetPassword(
  { database, passwords }: { database: Database; passwords: Passwords },
  email: string,
): Promise<string> {
  const password = randomBytes(15).toString("base64url");
  const passwordHash = await passwords.hash(password);
  await database.transaction(async (transaction) => {
    const user = await User.findOne({
      attributes: ["id"],
      where: { emailKey: emailKey(email), deletedAt: null },
      lock: transaction.LOCK.UPDATE,
      transaction,
    });
    if (!user) throw noSuchUser();
    await user.update({ passwordHash }, { transaction });
    await revokeSessions(user.id, { transaction });
  });
  return password;
}
