import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { purgeMails } from "../src/db/queries/mail/outbox.ts";
import type { Mail } from "../src/domain/mail.ts";
import { useOneTimeToken } from "../src/services/accounts/one-time-tokens.ts";
import type { MailSender } from "../src/services/mail/mail-sender.ts";
import { LogLines } from "./support/log-lines.ts";
import { useOutbox } from "./support/outbox.ts";
import { linkIn, tokenIn } from "./support/smtp.ts";

/* Mails are rows of a table; a job sends them over SMTP. */

const outbox = useOutbox();

beforeEach(async () => {
  await outbox().sql("DELETE FROM mail_outbox");
  outbox().smtp.mails.length = 0;
});

/** Sends until nothing is due or nothing can be sent. */
async function sendAll(sender: MailSender): Promise<void> {
  while (await sender.sendNext());
}

const usePasswordToken = (token: string) =>
  outbox().db.transaction((transaction) => useOneTimeToken(outbox().db, { kind: "password", token }, transaction));

describe("a mail for a forgotten password", () => {
  test("goes to the address of the account, whose token then works once; address and content are erased", async () => {
    const { id, email } = await outbox().user();
    await outbox().mails.queuePasswordMail(email.toUpperCase());
    await sendAll(outbox().sender());
    const mail = await outbox().smtp.latestTo(email);
    expect(linkIn(mail)).toBe(`https://chat.example.test/reset#${tokenIn(mail)}`);
    expect(await usePasswordToken(tokenIn(mail))).toEqual({ userId: id, email });
    await expect(usePasswordToken(tokenIn(mail))).rejects.toMatchObject({ kind: "tokenInvalid" });
    expect(await outbox().rows()).toEqual([{ address: null, content: null, outcome: "sent", attempts: 1 }]);
  });

  test("confirms the address of the account when its link is used", async () => {
    const { id, email } = await outbox().user();
    await outbox().sql("UPDATE users SET email_verified_at = NULL WHERE id = $id", { id });
    await outbox().mails.queuePasswordMail(email);
    await sendAll(outbox().sender());
    await usePasswordToken(tokenIn(await outbox().smtp.latestTo(email)));
    const rows = await outbox().sql("SELECT 1 FROM users WHERE id = $id AND email_verified_at IS NOT NULL", { id });
    expect(rows).toHaveLength(1);
  });

  test("is not sent to an address without an account, and nothing is kept of it", async () => {
    await outbox().mails.queuePasswordMail("nobody@example.test");
    await sendAll(outbox().sender());
    expect(outbox().smtp.mails).toEqual([]);
    expect(await outbox().rows()).toEqual([]);
  });

  test("is sent three times an hour; afterwards the last link keeps working", async () => {
    const { id, email } = await outbox().user();
    for (let count = 0; count < 5; count++) await outbox().mails.queuePasswordMail(email);
    await Promise.all([sendAll(outbox().sender()), sendAll(outbox().sender())]);
    const mails = await outbox().smtp.mailsTo(email, 3);
    expect(mails).toHaveLength(3);
    const [row] = await outbox().sql<{ count: number }>(
      "SELECT count(*)::int FROM one_time_tokens WHERE user_id = $id",
      { id },
    );
    expect(row).toEqual({ count: 1 });
    const uses = await Promise.allSettled(mails.map((mail) => usePasswordToken(tokenIn(mail))));
    expect(uses.filter(({ status }) => status === "fulfilled")).toHaveLength(1);

    await outbox().sql("UPDATE mail_outbox SET created_at = created_at - interval '1 hour'");
    await outbox().mails.queuePasswordMail(email);
    await sendAll(outbox().sender());
    await outbox().smtp.mailsTo(email, 4);
  });

  test("has a link that does not work after 30 minutes", async () => {
    const { email } = await outbox().user();
    await outbox().mails.queuePasswordMail(email);
    await sendAll(outbox().sender());
    const token = tokenIn(await outbox().smtp.latestTo(email));
    await outbox().sql("UPDATE one_time_tokens SET expires_at = expires_at - interval '30 minutes'");
    await expect(usePasswordToken(token)).rejects.toMatchObject({ kind: "tokenInvalid" });
  });
});

test("a request for a link takes the same steps for every address: it stores a row and looks nothing up", async () => {
  const { email } = await outbox().user();
  const { options } = outbox().db;
  const statements: string[] = [];
  options.logging = (sql) => void statements.push(sql);
  await outbox().mails.queuePasswordMail(email);
  await outbox().mails.queuePasswordMail("nobody@example.test");
  options.logging = false;
  expect(statements).toEqual(Array(2).fill(expect.stringMatching(/^\S+ \(default\): INSERT INTO mail_outbox [^;]*$/)));
});

describe("several processes", () => {
  test("send each mail once", async () => {
    const emails = await Promise.all(Array.from({ length: 20 }, async () => (await outbox().user()).email));
    for (const email of emails) await outbox().mails.queuePasswordMail(email);
    await Promise.all([sendAll(outbox().sender()), sendAll(outbox().sender())]);
    expect(
      outbox()
        .smtp.mails.map(({ recipients }) => recipients[0])
        .sort(),
    ).toEqual([...emails].sort());
  });

  test("send a mail again whose process was killed while it sent it, and not before", async () => {
    const { email } = await outbox().user();
    await outbox().mails.queuePasswordMail(email);
    // The mail is accepted, and the process does not live to record it.
    const send = (mail: Mail) =>
      outbox()
        .transport()
        .send(mail)
        .then(() => new Promise<void>(() => {}));
    void outbox().sender({ transport: { send } }).sendNext();
    await outbox().smtp.mailsTo(email);
    expect(await outbox().sender().sendNext()).toBe(false);
    await outbox().sql("UPDATE mail_outbox SET next_attempt_at = next_attempt_at - interval '2 minutes'");
    await sendAll(outbox().sender());
    await outbox().smtp.mailsTo(email, 2);
    expect(await outbox().rows()).toMatchObject([{ outcome: "sent", attempts: 2 }]);
  });
});

describe("an SMTP server that is down", () => {
  afterEach(() => outbox().smtp.resume());

  test("is logged once, with the reason, and mails are sent when it is back", async () => {
    const { smtp } = outbox();
    const emails = [(await outbox().user()).email, (await outbox().user()).email];
    for (const email of emails) await outbox().mails.queuePasswordMail(email);
    const log = new LogLines();
    const sender = outbox().sender({ log: log.log });
    await smtp.stop();
    expect(await sender.sendNext()).toBe(false);
    expect(await sender.sendNext()).toBe(false);
    await smtp.resume();
    await sendAll(sender);
    for (const email of emails) await smtp.mailsTo(email);
    expect(log.lines.map(({ level, msg }) => ({ level, msg }))).toEqual([
      { level: "warn", msg: "mails cannot be sent; retrying" },
      { level: "info", msg: "mails are sent again" },
    ]);
    expect(log.output).toMatch(/ECONNREFUSED/);
    for (const email of emails) expect(log.output).not.toContain(email);
  });

  test("costs a mail after five attempts, and its address is erased", async () => {
    const { smtp } = outbox();
    await outbox().mails.queuePasswordMail((await outbox().user()).email);
    await smtp.stop();
    const log = new LogLines();
    const sender = outbox().sender({ log: log.log });
    for (let count = 0; count < 6; count++) await sender.sendNext();
    expect(await outbox().rows()).toEqual([{ address: null, content: null, outcome: "failed", attempts: 5 }]);
    expect(log.find({ msg: "mail given up" })).toMatchObject({ kind: "password", attempts: 5 });
  });
});

describe("a rejected recipient", () => {
  test("is given up at once, does not stop the others, and is not named in the log", async () => {
    const { smtp } = outbox();
    const [bad, good] = [await outbox().user(), await outbox().user()];
    smtp.rejected.set(bad.email, 550);
    for (const { email } of [bad, good]) await outbox().mails.queuePasswordMail(email);
    const log = new LogLines();
    await sendAll(outbox().sender({ log: log.log }));
    await smtp.mailsTo(good.email);
    expect(await outbox().rows()).toMatchObject([
      { outcome: "failed", address: null, attempts: 1 },
      { outcome: "sent" },
    ]);
    expect(log.lines).toEqual([expect.objectContaining({ msg: "mail given up", reason: "EENVELOPE RCPT TO 550" })]);
    expect(log.output).not.toContain(bad.email);
  });
});

describe("an invite", () => {
  const queue = (inviteId: number) =>
    outbox().db.transaction((transaction) =>
      outbox().mails.queueInviteMail({ address: "new@example.test", inviterName: "Ann <b>", inviteId }, transaction),
    );

  test("is mailed with a token that is made when it is sent", async () => {
    await queue(7);
    await sendAll(outbox().sender({ issueInviteToken: async (inviteId) => `token-of-${inviteId}-in-the-mail` }));
    const mail = await outbox().smtp.latestTo("new@example.test");
    expect(mail.subject).toBe("Ann <b> invites you to Chat");
    expect(linkIn(mail)).toBe("https://chat.example.test/invite#token-of-7-in-the-mail");
    expect(await outbox().rows()).toMatchObject([{ content: null, address: null }]);
  });

  test("that is not valid any more is not mailed", async () => {
    await queue(8);
    await sendAll(outbox().sender({ issueInviteToken: async () => undefined }));
    expect(await outbox().rows()).toEqual([]);
  });
});

test("what was sent is deleted after its retention, and what is queued stays", async () => {
  const { email } = await outbox().user();
  await outbox().mails.queuePasswordMail(email);
  await sendAll(outbox().sender());
  await outbox().mails.queuePasswordMail(email);
  await purgeMails(outbox().db, { retentionMs: 60_000 });
  expect(await outbox().rows()).toHaveLength(2);
  await purgeMails(outbox().db, { retentionMs: 0 });
  expect(await outbox().rows()).toMatchObject([{ outcome: null, address: email }]);
});
