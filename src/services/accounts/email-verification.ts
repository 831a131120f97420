import { fn, type Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { endOneTimeTokens } from "../../db/queries/accounts/one-time-tokens.ts";
import { isEmailVerified } from "../../db/queries/accounts/verification.ts";
import { emailUnverified } from "../../domain-errors.ts";
import { AppError } from "../../errors.ts";
import { User } from "../../models/index.ts";
import { emailKey } from "../../models/keys.ts";
import { type ActiveUser, isActive } from "../../models/user.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { Mails } from "../mail/mails.ts";
import { findByEmail } from "./find-by-email.ts";
import { emailTaken, rejectTakenEmail } from "./new-account.ts";
import { tokenInvalid, useOneTimeToken } from "./one-time-tokens.ts";
import { notLoggedIn } from "./tokens.ts";

/** The address that a user still has to confirm: a new one, or that of the account. Null if there is none. */
export const unconfirmedEmail = ({ email, pendingEmail, emailVerifiedAt }: ActiveUser): string | null =>
  pendingEmail ?? (emailVerifiedAt ? null : email);

/** The confirmation of e-mail addresses, if the server requires it. */
export class EmailVerification {
  constructor(
    private readonly options: { database: Database; isRequired: boolean; mails: Mails; limits: RateLimits },
  ) {}

  /** The columns of an account that somebody registers. */
  get columnsOfRegistration() {
    return this.options.isRequired ? { emailVerifiedAt: null } : {};
  }

  /** The address that a user still has to confirm; null if there is none, or if the server does not require it. */
  unconfirmedEmail(user: ActiveUser): string | null {
    return this.options.isRequired ? unconfirmedEmail(user) : null;
  }

  /** Sends the mail to a new account. */
  async registered(userId: number, email: string, transaction: Transaction): Promise<void> {
    if (this.options.isRequired) await this.options.mails.queueVerifyMail({ userId, address: email }, transaction);
  }

  /** The columns that a new address changes: where it has to be confirmed, it only takes effect then. */
  columnsOfChange(email: string) {
    if (this.options.isRequired) return { pendingEmail: email };
    return { email, emailKey: emailKey(email), pendingEmail: null };
  }

  /** Counts a change of the address, if it sends a mail. @throws AppError of kind "rateLimited" */
  async admitChange(userId: number): Promise<void> {
    if (this.options.isRequired) await this.options.limits.consume("mailsPerUser", userId);
  }

  /** To be called after a new address was stored, in the same transaction. */
  async changed(userId: number, email: string, transaction: Transaction): Promise<void> {
    const { database, isRequired, mails } = this.options;
    if (isRequired) await mails.queueVerifyMail({ userId, address: email }, transaction);
    else await endOneTimeTokens(database, userId, transaction);
  }

  /**
   * Confirms the address to which a link was sent. A new address takes effect, which the earlier one is notified of.
   * @throws AppError of kind "tokenInvalid", or "emailTaken" if another account has taken the address meanwhile
   */
  async verify(token: string): Promise<void> {
    const { database } = this.options;
    await rejectTakenEmail(() =>
      database.transaction(async (transaction) => {
        const { userId, email } = await useOneTimeToken(database, { kind: "email", token }, transaction);
        const user = await User.findByPk(userId ?? 0, { lock: transaction.LOCK.UPDATE, transaction });
        if (!isActive(user) || email === null) throw tokenInvalid();
        if (user.pendingEmail === email) await this.replaceEmail(user, email, transaction);
        // Using the token has confirmed the address of the account; a new one may have been asked for meanwhile.
        else if (user.pendingEmail !== null || user.email !== email) throw tokenInvalid();
        await endOneTimeTokens(database, user.id, transaction);
      }),
    );
  }

  /**
   * Sends the link again.
   * @throws AppError of kind "conflict" if nothing has to be confirmed, "rateLimited" or "notConfigured"
   */
  async resend(userId: number): Promise<void> {
    const { database, mails, limits } = this.options;
    mails.requireAvailable();
    const user = await User.findByPk(userId);
    if (!isActive(user)) throw notLoggedIn(userId);
    const address = this.unconfirmedEmail(user);
    if (address === null) throw new AppError("conflict", "Your e-mail address needs no confirmation");
    await limits.consume("mailsPerUser", userId);
    await database.transaction((transaction) => mails.queueVerifyMail({ userId, address }, transaction));
  }

  /** @throws AppError of kind "forbidden" if a user has not confirmed the address of the account */
  async requireVerified(userId: number): Promise<void> {
    if (!(await isEmailVerified(this.options.database, userId))) throw emailUnverified();
  }

  private async replaceEmail(user: ActiveUser, email: string, transaction: Transaction): Promise<void> {
    const { id: userId, email: earlier, emailVerifiedAt } = user;
    const holder = await findByEmail(email, { transaction });
    if (holder && holder.id !== userId) throw emailTaken();
    const columns = { email, emailKey: emailKey(email), pendingEmail: null, emailVerifiedAt: fn("clock_timestamp") };
    await user.update(columns, { transaction });
    // An address that nobody confirmed may be a stranger's.
    if (emailVerifiedAt) {
      await this.options.mails.queueEmailChangedMail({ userId, address: earlier }, transaction);
    }
  }
}
