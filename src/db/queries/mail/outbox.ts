import type { Transaction } from "sequelize";
import type { MailKind } from "../../../domain/mail.ts";
import type { Database } from "../../connect.ts";
import { select } from "../../select.ts";
import { lockAccountForChange } from "../accounts/account-locks.ts";

/* Times are set and compared by the clock of the database: the processes may disagree about the time. */

/** What is stored of an invite's mail besides its address. */
export interface InviteContent {
  inviteId: number;
  inviterName: string;
}

/** A mail to be sent. */
export interface NewMail {
  kind: MailKind;
  /** The account that the mail is about; null if there is none or it is not known yet. */
  userId: number | null;
  address: string;
  content?: InviteContent;
}

/** A mail that is being sent. */
export interface OutboxMail {
  id: number;
  kind: MailKind;
  userId: number | null;
  address: string;
  content: InviteContent | null;
  /** How often it has been tried, with this time. */
  attempts: number;
}

/** Stores a mail in the transaction that causes it. */
export async function addMail(
  database: Database,
  { kind, userId, address, content }: NewMail,
  transaction?: Transaction,
): Promise<void> {
  await select(
    database,
    "INSERT INTO mail_outbox (kind, user_id, address, content) VALUES ($kind, $userId, $address, $content::jsonb)",
    { kind, userId, address, content: content ? JSON.stringify(content) : null },
    transaction,
  );
}

/**
 * Takes the mail that has been due for longest. No other process takes it before `leaseMs` have passed, so it is sent
 * again if this one is killed. Index: mail_outbox_due.
 */
export async function takeDueMail(
  database: Database,
  { leaseMs }: { leaseMs: number },
  transaction: Transaction,
): Promise<OutboxMail | undefined> {
  const [mail] = await select<OutboxMail>(
    database,
    `WITH due AS (
            SELECT id FROM mail_outbox
             WHERE finished_at IS NULL AND next_attempt_at <= now()
             ORDER BY next_attempt_at, id
             LIMIT 1
               FOR UPDATE SKIP LOCKED
          )
     UPDATE mail_outbox AS m
        SET attempts = attempts + 1, next_attempt_at = clock_timestamp() + make_interval(secs => $leaseMs / 1000.0)
       FROM due
      WHERE m.id = due.id
  RETURNING m.id, m.kind, m.user_id AS "userId", m.address, m.content, m.attempts`,
    { leaseMs },
    transaction,
  );
  return mail;
}

/**
 * Records the account that a mail for a forgotten password is for, and locks the account, so that its mails are counted
 * one after another. Index: mail_outbox_of_user.
 * @returns how many others of its kind the account was sent within the hour before
 */
export async function assignPasswordMail(
  database: Database,
  { id, userId }: { id: number; userId: number },
  transaction: Transaction,
): Promise<number> {
  const values = { id, userId };
  await lockAccountForChange(database, userId, transaction);
  await select(database, "UPDATE mail_outbox SET user_id = $userId WHERE id = $id", values, transaction);
  const [row] = await select<{ others: number }>(
    database,
    `SELECT count(*)::int AS others
       FROM mail_outbox
      WHERE user_id = $userId AND kind = 'password' AND id <> $id
        AND created_at > clock_timestamp() - interval '1 hour'`,
    values,
    transaction,
  );
  return row?.others ?? 0;
}

/** Records that a mail was sent or given up, and erases its address and content. */
export async function finishMail(database: Database, id: number, outcome: "sent" | "failed"): Promise<void> {
  await select(
    database,
    `UPDATE mail_outbox
        SET finished_at = clock_timestamp(), outcome = $outcome, address = NULL, content = NULL
      WHERE id = $id`,
    { id, outcome },
  );
}

/** Has a mail sent again after a delay. */
export async function postponeMail(database: Database, id: number, { delayMs }: { delayMs: number }): Promise<void> {
  await select(
    database,
    `UPDATE mail_outbox
        SET next_attempt_at = clock_timestamp() + make_interval(secs => $delayMs / 1000.0)
      WHERE id = $id AND finished_at IS NULL`,
    { id, delayMs },
  );
}

/** Deletes a mail that is not to be sent. */
export async function dropMail(database: Database, id: number, transaction: Transaction): Promise<void> {
  await select(database, "DELETE FROM mail_outbox WHERE id = $id", { id }, transaction);
}

/** Deletes the unsent mails of an account: all, or those of one kind. Index: mail_outbox_of_user. */
export async function dropMailsOf(
  database: Database,
  { userId, kind = null }: { userId: number; kind?: MailKind | null },
  transaction: Transaction,
): Promise<void> {
  await select(
    database,
    `DELETE FROM mail_outbox
      WHERE user_id = $userId AND finished_at IS NULL AND ($kind::text IS NULL OR kind = $kind)`,
    { userId, kind },
    transaction,
  );
}

/** Deletes what was sent or given up at least `retentionMs` ago. Index: mail_outbox_finished_at. */
export async function purgeMails(database: Database, { retentionMs }: { retentionMs: number }): Promise<void> {
  await select(
    database,
    "DELETE FROM mail_outbox WHERE finished_at < clock_timestamp() - make_interval(secs => $retentionMs / 1000.0)",
    { retentionMs },
  );
}
