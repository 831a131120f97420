import { randomBytes } from "node:crypto";
import type { Database } from "../../db/connect.ts";
import { endSessions } from "../../db/queries/accounts/sessions.ts";
import { requireByEmail } from "./find-by-email.ts";
import type { Passwords } from "./passwords.ts";

/**
 * Sets a new random password and ends all sessions of the account. For operators: the server sends no e-mail, so users
 * who forgot their password contact the operator. Running servers close the sockets within two seconds.
 * @returns the new password; only its hash is stored
 */
export async function resetPassword(
  { database, passwords }: { database: Database; passwords: Passwords },
  email: string,
): Promise<string> {
  const password = randomBytes(15).toString("base64url");
  const passwordHash = await passwords.hash(password);
  await database.transaction(async (transaction) => {
    const user = await requireByEmail(email, { lock: transaction.LOCK.UPDATE, transaction });
    await user.update({ passwordHash }, { transaction });
    await endSessions(database, { userId: user.id }, transaction);
  });
  return password;
}
