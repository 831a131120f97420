import { afterAll, beforeAll } from "@jest/globals";
import { readSettings } from "../../src/config/read-settings.ts";
import { type OpenDatabase, openDatabase } from "../../src/db/open.ts";
import { select } from "../../src/db/select.ts";
import type { Logger } from "../../src/logger.ts";
import { SmtpTransport } from "../../src/mail/smtp-transport.ts";
import type { MailTransport } from "../../src/mail/transport.ts";
import { type IssueInviteToken, MailSender } from "../../src/services/mail/mail-sender.ts";
import { Mails } from "../../src/services/mail/mails.ts";
import { makeDatabase, type TestDatabase } from "./databases.ts";
import { silentLog } from "./silent.ts";
import { TestSmtpServer } from "./smtp.ts";

/** A database with queued mails and an SMTP server, without the rest of a messenger. */
export class TestOutbox {
  userCount = 0;

  private constructor(
    private readonly files: TestDatabase,
    private readonly opened: OpenDatabase,
    readonly smtp: TestSmtpServer,
  ) {}

  static async start(): Promise<TestOutbox> {
    const files = await makeDatabase();
    const { database, server } = readSettings({ ...files.settings });
    const opened = await openDatabase({
      databaseUrl: database.url,
      dataDir: server.dataDir,
      poolSize: 5,
      timeouts: database.timeouts,
      startTimeoutMs: database.startTimeoutMs,
      log: silentLog,
      signal: new AbortController().signal,
      onUnavailable: () => {},
    });
    return new TestOutbox(files, opened, await TestSmtpServer.start());
  }

  async stop(): Promise<void> {
    await this.smtp.stop();
    await this.opened.close();
    await this.files.remove();
  }

  get db() {
    return this.opened.database;
  }

  get mails(): Mails {
    return new Mails({ database: this.db, isAvailable: true });
  }

  sql<Row extends object>(text: string, values: Record<string, unknown> = {}): Promise<Row[]> {
    return select<Row>(this.db, text, values);
  }

  transport(): MailTransport {
    return new SmtpTransport(this.smtp.url, { name: "Chat", address: "chat@example.test" });
  }

  /** A process that sends mails; its retries are due at once. */
  sender(options: { log?: Logger; transport?: MailTransport; issueInviteToken?: IssueInviteToken } = {}): MailSender {
    return new MailSender({
      database: this.db,
      transport: this.transport(),
      serverName: "Chat",
      makeLink: (page, token) => `https://chat.example.test/${page}#${token}`,
      retryDelaysMs: [0, 0, 0, 0],
      log: silentLog,
      ...options,
    });
  }

  /** Adds an account. */
  async user(): Promise<{ id: number; email: string }> {
    const email = `user${++this.userCount}@example.test`;
    const [row] = await this.sql<{ id: number }>(
      `INSERT INTO users (email, email_key, password_hash, first_name, first_name_key)
       VALUES ($email, $email, 'x', 'Ann', 'ann') RETURNING id`,
      { email },
    );
    return { id: row?.id ?? 0, email };
  }

  /** The stored rows, the latest last. */
  rows(): Promise<{ address: string | null; content: object | null; outcome: string | null; attempts: number }[]> {
    return this.sql("SELECT address, content, outcome, attempts FROM mail_outbox ORDER BY id");
  }
}

/** Starts one for all tests of a file. */
export function useOutbox(): () => TestOutbox {
  let outbox: TestOutbox | undefined;
  beforeAll(async () => {
    outbox = await TestOutbox.start();
  });
  afterAll(() => outbox?.stop());
  return () => {
    if (!outbox) throw new Error("the outbox is not open yet");
    return outbox;
  };
}
