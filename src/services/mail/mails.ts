import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import { addMail, dropMailsOf } from "../../db/queries/mail/outbox.ts";
import { AppError } from "../../errors.ts";

/**
 * Queues mails in the transactions that cause them. `MailSender` sends them, and makes the tokens of their links only then.
 */
export class Mails {
  constructor(private readonly options: { database: Database; isAvailable: boolean }) {}

  /** Whether this server sends mail. */
  get isAvailable(): boolean {
    return this.options.isAvailable;
  }

  /** @throws AppError of kind "notConfigured" if this server sends no mail */
  requireAvailable(): void {
    if (!this.options.isAvailable) {
      throw new AppError("notConfigured", "This server sends no e-mail. Ask an administrator");
    }
  }

  /**
   * Asks for a link with which the holder of an address can choose a new password. Whether there is such an account is
   * found out when the mail is sent, so that the caller cannot learn it from the answer or its time.
   */
  async queuePasswordMail(email: string): Promise<void> {
    await addMail(this.options.database, { kind: "password", userId: null, address: email });
  }

  /** Asks a user to confirm an address. Replaces mails of this kind that were not sent yet. */
  async queueVerifyMail(mail: { userId: number; address: string }, transaction: Transaction): Promise<void> {
    const { database } = this.options;
    await dropMailsOf(database, { userId: mail.userId, kind: "verify" }, transaction);
    await addMail(database, { kind: "verify", ...mail }, transaction);
  }

  /** Tells the earlier address of an account that it was changed. */
  async queueEmailChangedMail(mail: { userId: number; address: string }, transaction: Transaction): Promise<void> {
    await addMail(this.options.database, { kind: "emailChanged", ...mail }, transaction);
  }

  /**
   * Sends an invite to an address, with a link to the page of invites.
   * @param mail.inviteId from which `MailSender` makes the token when it sends the mail
   * @throws AppError of kind "notConfigured" if this server sends no mail
   */
  async queueInviteMail(
    { address, inviterName, inviteId }: { address: string; inviterName: string; inviteId: number },
    transaction: Transaction,
  ): Promise<void> {
    this.requireAvailable();
    const content = { inviteId, inviterName };
    await addMail(this.options.database, { kind: "invite", userId: null, address, content }, transaction);
  }
}
