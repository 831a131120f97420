import type { Database } from "../../db/connect.ts";
import { endOneTimeTokens } from "../../db/queries/accounts/one-time-tokens.ts";
import { endSessions } from "../../db/queries/accounts/sessions.ts";
import type { SessionsEnded } from "../../domain/session.ts";
import { User } from "../../models/index.ts";
import { isActive } from "../../models/user.ts";
import { findOneTimeToken, tokenInvalid, useOneTimeToken } from "./one-time-tokens.ts";
import type { Passwords } from "./passwords.ts";
import type { Device } from "./sessions.ts";

/** Sets a new password with the token of a link, once. */
export class PasswordReset {
  constructor(
    private readonly options: {
      database: Database;
      passwords: Passwords;
      publishEnded: (ended: SessionsEnded) => void;
    },
  ) {}

  /**
   * Ends all sessions and all other links of the account. A suspended account stays suspended.
   * @throws AppError of kind "tokenInvalid"; of kind "validation" for a password that is rejected, and the token stays valid
   */
  async run({ token, newPassword }: { token: string; newPassword: string }, { address }: Device): Promise<void> {
    const { database, passwords, publishEnded } = this.options;
    const { userId } = await findOneTimeToken(database, { kind: "password", token });
    const user = await User.findByPk(userId ?? 0);
    if (!isActive(user)) throw tokenInvalid();
    const owner = { address, account: user.id };
    const passwordHash = await passwords.hash(newPassword, { email: user.email, field: "newPassword", owner });
    const sessionIds = await database.transaction(async (transaction) => {
      // The account is locked before its tokens, as wherever it is changed.
      const locked = await User.findByPk(user.id, { lock: transaction.LOCK.UPDATE, transaction });
      await useOneTimeToken(database, { kind: "password", token }, transaction);
      if (!isActive(locked)) throw tokenInvalid();
      await locked.update({ passwordHash }, { transaction });
      await endOneTimeTokens(database, user.id, transaction);
      return endSessions(database, { userId: user.id }, transaction);
    });
    publishEnded({ sessionIds, reason: "ended" });
  }
}
