import type { Transaction } from "sequelize";
import type { Database } from "../../db/connect.ts";
import {
  assignPasswordMail,
  dropMail,
  finishMail,
  type OutboxMail,
  postponeMail,
  takeDueMail,
} from "../../db/queries/mail/outbox.ts";
import type { MailContent } from "../../domain/mail.ts";
import { type FailureLog, type Logger, logFailures } from "../../logger.ts";
import { MailError, type MailTransport } from "../../mail/transport.ts";
import { writeMail } from "../../mail/write-mail.ts";
import { User } from "../../models/index.ts";
import { type ActiveUser, isActive } from "../../models/user.ts";
import { unconfirmedEmail } from "../accounts/email-verification.ts";
import { findByEmail } from "../accounts/find-by-email.ts";
import { issueOneTimeToken } from "../accounts/one-time-tokens.ts";
import type { MakePageLink } from "../page-links.ts";

/** Mails for a forgotten password to one account within an hour. */
const maxPasswordMails = 3;

/** How long after the 1st, 2nd, ... failure a mail is tried again, in milliseconds. After the last one it is given up. */
const defaultRetryDelaysMs: readonly number[] = [30_000, 2 * 60_000, 10 * 60_000, 60 * 60_000];

/** After how long a mail is sent again whose process was killed meanwhile. More than sending can take. */
const defaultLeaseMs = 2 * 60_000;

/** How long the end of sending is awaited when the server stops, in milliseconds. */
const stopTimeoutMs = 5000;

/** Makes the token of an invite's link, and stores its hash. @returns undefined if the invite is not valid any more */
export type IssueInviteToken = (inviteId: number, transaction: Transaction) => Promise<string | undefined>;

/** A mail ready to be sent: to whom, and what it says. */
interface PreparedMail {
  address: string;
  content: MailContent;
}

/**
 * Sends the queued mails. Several processes share the work. A mail whose process is killed while it sends is sent again,
 * so it may arrive twice, but is never lost.
 */
export class MailSender {
  private readonly outage: FailureLog;
  private sending: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: {
      database: Database;
      transport: MailTransport;
      serverName: string;
      makeLink: MakePageLink;
      issueInviteToken?: IssueInviteToken;
      retryDelaysMs?: readonly number[];
      leaseMs?: number;
      log: Logger;
    },
  ) {
    this.outage = logFailures(options.log, {
      warning: "mails cannot be sent; retrying",
      recovery: "mails are sent again",
      isLogged: () => true,
    });
  }

  /**
   * Sends the mail that has been due for longest.
   * @returns whether to go on with the next one at once: false if none is due, or if mails cannot be sent now
   */
  sendNext(): Promise<boolean> {
    const sent = this.takeAndSend();
    this.sending = sent.catch(() => {});
    return sent;
  }

  /** Waits until the mail that is being sent is recorded as sent. Call it after the last `sendNext`. */
  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise((resolve) => {
      timer = setTimeout(resolve, stopTimeoutMs);
    });
    await Promise.race([this.sending, timeout]);
    clearTimeout(timer);
  }

  private async takeAndSend(): Promise<boolean> {
    const { database, transport, serverName, retryDelaysMs = defaultRetryDelaysMs } = this.options;
    const taken = await database.transaction((transaction) => this.take(transaction));
    if (!taken?.prepared) return taken !== undefined;
    const { mail, prepared } = taken;
    const failure = await this.trySend(() => transport.send(writeMail(prepared.address, prepared.content, serverName)));
    const delayMs = failure?.isPermanent ? undefined : retryDelaysMs[mail.attempts - 1];
    if (!failure) await finishMail(database, mail.id, "sent");
    else if (delayMs === undefined) await this.giveUp(mail, failure.message);
    else await postponeMail(database, mail.id, { delayMs });
    return !failure || failure.isPermanent;
  }

  /** Takes a due mail and prepares it, so that a link works before anybody can read it. */
  private async take(transaction: Transaction): Promise<{ mail: OutboxMail; prepared?: PreparedMail } | undefined> {
    const { database, retryDelaysMs = defaultRetryDelaysMs, leaseMs = defaultLeaseMs } = this.options;
    const mail = await takeDueMail(database, { leaseMs }, transaction);
    if (!mail) return undefined;
    // Its process was killed at every attempt.
    const isExhausted = mail.attempts > retryDelaysMs.length + 1;
    const prepared = isExhausted ? undefined : await this.prepare(mail, transaction);
    if (!prepared) await dropMail(database, mail.id, transaction);
    return prepared ? { mail, prepared } : { mail };
  }

  /** @returns undefined for a mail that has become pointless */
  private prepare(mail: OutboxMail, transaction: Transaction): Promise<PreparedMail | undefined> {
    switch (mail.kind) {
      case "password":
        return this.preparePasswordMail(mail, transaction);
      case "verify":
        return this.prepareVerifyMail(mail, transaction);
      case "emailChanged":
        return Promise.resolve({ address: mail.address, content: { kind: mail.kind } });
      case "invite":
        return this.prepareInviteMail(mail, transaction);
    }
  }

  /** Goes to the address of the account: the one that was typed may only look the same. */
  private async preparePasswordMail(mail: OutboxMail, transaction: Transaction): Promise<PreparedMail | undefined> {
    const { database } = this.options;
    const user = await findByEmail(mail.address, { transaction });
    if (!isActive(user)) return undefined;
    const others = await assignPasswordMail(database, { id: mail.id, userId: user.id }, transaction);
    if (others >= maxPasswordMails) return undefined;
    return { address: user.email, content: { kind: "password", link: await this.linkOf("reset", user, transaction) } };
  }

  private async prepareVerifyMail(mail: OutboxMail, transaction: Transaction): Promise<PreparedMail | undefined> {
    const user = await User.findByPk(mail.userId ?? 0, { transaction });
    if (!isActive(user) || unconfirmedEmail(user) !== mail.address) return undefined;
    const link = await this.linkOf("verify", { id: user.id, email: mail.address }, transaction);
    return { address: mail.address, content: { kind: "verify", link } };
  }

  private async prepareInviteMail(mail: OutboxMail, transaction: Transaction): Promise<PreparedMail | undefined> {
    const { content, address } = mail;
    const token = content && (await this.options.issueInviteToken?.(content.inviteId, transaction));
    if (!token) return undefined;
    const link = this.options.makeLink("invite", token);
    return { address, content: { kind: "invite", link, inviterName: content.inviterName } };
  }

  private async linkOf(
    page: "reset" | "verify",
    { id: userId, email }: Pick<ActiveUser, "id" | "email">,
    transaction: Transaction,
  ): Promise<string> {
    const kind = page === "reset" ? "password" : "email";
    const { token } = await issueOneTimeToken(this.options.database, { kind, userId, email }, transaction);
    return this.options.makeLink(page, token);
  }

  private async trySend(send: () => Promise<void>): Promise<MailError | undefined> {
    const failure = await send().then(
      () => undefined,
      (error) => (error instanceof MailError ? error : new MailError((error as Error).name)),
    );
    if (failure && !failure.isPermanent) this.outage.failed(failure);
    else this.outage.succeeded();
    return failure;
  }

  private async giveUp({ id, kind, attempts }: OutboxMail, reason: string): Promise<void> {
    this.options.log.warn({ mailId: id, kind, attempts, reason }, "mail given up");
    await finishMail(this.options.database, id, "failed");
  }
}
