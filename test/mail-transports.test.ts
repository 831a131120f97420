import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Mail } from "../src/domain/mail.ts";
import { FolderTransport } from "../src/mail/folder-transport.ts";
import { SmtpTransport } from "../src/mail/smtp-transport.ts";
import type { MailTransport, Sender } from "../src/mail/transport.ts";
import { writeMail } from "../src/mail/write-mail.ts";
import { parseMail, type ReceivedMail, TestSmtpServer } from "./support/smtp.ts";

/* What every way to send mails must do, and how mails are worded. */

const from: Sender = { name: "Chat, of <Ours>", address: "chat@example.test" };
const link = "https://chat.example.test/reset#q2h0bGV0dGVyc19hbmRfZGlnaXRzX3Rha2VuX2F0X3I";

let smtp: TestSmtpServer;
let folder: string;

beforeAll(async () => {
  smtp = await TestSmtpServer.start();
  folder = await mkdtemp(join(tmpdir(), "messenger-mail-"));
});

afterAll(async () => {
  await smtp.stop();
  await rm(folder, { recursive: true });
});

const mailFolder = () => join(folder, "mail");

async function mailsInFolder(): Promise<ReceivedMail[]> {
  const names = (await readdir(mailFolder())).sort();
  return Promise.all(names.map(async (name) => parseMail(await readFile(join(mailFolder(), name)))));
}

const transports: { name: string; open: () => MailTransport; mails: () => Promise<ReceivedMail[]> }[] = [
  { name: "SMTP", open: () => new SmtpTransport(smtp.url, from), mails: async () => smtp.mails },
  { name: "folder", open: () => new FolderTransport(mailFolder(), from), mails: mailsInFolder },
];

describe.each(transports)("the transport $name", ({ open, mails }) => {
  /** Sends a mail and returns what has arrived. */
  async function send(mail: Partial<Mail>): Promise<ReceivedMail> {
    await open().send({ to: "ann@example.test", subject: "Subject", text: "text", html: "<p>text</p>", ...mail });
    const received = (await mails()).at(-1);
    if (!received) throw new Error("no mail has arrived");
    return received;
  }

  test("delivers subject, text and HTML to one recipient, from the server", async () => {
    const sent = writeMail("ann@example.test", { kind: "password", link }, "Grüße 👋");
    const mail = await send(sent);
    expect(mail.subject).toBe("Choose a new password for Grüße 👋");
    expect(mail.from).toEqual(from);
    expect(mail.to).toEqual([{ name: "", address: "ann@example.test" }]);
    expect(mail.text?.trim()).toBe(sent.text.trim());
    expect(mail.html?.trim()).toBe(sent.html.trim());
    expect(mail.headers.find(({ key }) => key === "auto-submitted")?.value).toBe("auto-generated");
  });

  test.each(["one\r\nBcc: eve@example.test", "two\nBcc: eve@example.test\n\nbody", "three\rBcc: eve@example.test"])(
    "a subject with line breaks adds no header: %j",
    async (subject) => {
      const mail = await send({ subject });
      expect(mail.headers.map(({ key }) => key)).not.toContain("bcc");
      expect(mail.text?.trim()).toBe("text");
    },
  );

  test.each(["ann,eve@example.test", 'x"<eve@example.test>', "a;eve@example.test", "ann:eve@example.test;"])(
    "an address that looks like several has one recipient or is rejected for good: %s",
    async (to) => {
      const before = (await mails()).length;
      const error = await send({ to }).then(
        () => undefined,
        (failure) => failure,
      );
      if (error) expect(error).toMatchObject({ name: "MailError", isPermanent: true });
      for (const { recipients, to: shown } of (await mails()).slice(before)) {
        expect(recipients.length).toBeLessThanOrEqual(1);
        expect(recipients).not.toContain("eve@example.test");
        expect(shown?.map(({ address }) => address)).not.toContain("eve@example.test");
      }
    },
  );
});

describe("SMTP", () => {
  const mail = { to: "bob@example.test", subject: "Subject", text: "text", html: "<p>text</p>" };

  test.each([
    { code: 550, isPermanent: true },
    { code: 452, isPermanent: false },
  ])("a recipient rejected with $code is an error without the address", async ({ code, isPermanent }) => {
    smtp.rejected.set(mail.to, code);
    const error = await new SmtpTransport(smtp.url, from).send(mail).catch((failure) => failure);
    expect(error).toMatchObject({ name: "MailError", isPermanent });
    expect(error.message).toBe(`EENVELOPE RCPT TO ${code}`);
    smtp.rejected.delete(mail.to);
  });

  test("a server that is down is an error with the reason, which may pass", async () => {
    const error = await new SmtpTransport("smtp://127.0.0.1:1", from).send(mail).catch((failure) => failure);
    expect(error).toMatchObject({ name: "MailError", isPermanent: false });
    expect(error.message).toMatch(/ECONNREFUSED 127\.0\.0\.1:1\b/);
  });

  test("a rejected log-in is an error without user and password, which may pass", async () => {
    const url = smtp.url.replace("smtp://", "smtp://ann:secret-password@");
    const error = await new SmtpTransport(url, from).send(mail).catch((failure) => failure);
    expect(error).toMatchObject({ name: "MailError", isPermanent: false });
    expect(error.message).toBe("EAUTH AUTH PLAIN 535");
  });
});

describe("the folder", () => {
  test("and its files are closed to other users of the machine", async () => {
    await new FolderTransport(mailFolder(), from).send(writeMail("ann@example.test", { kind: "emailChanged" }, "Chat"));
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await mode(mailFolder())).toBe("700");
    for (const name of await readdir(mailFolder())) expect(await mode(join(mailFolder(), name))).toBe("600");
  });

  test("that cannot be written is an error that may pass", async () => {
    await writeFile(join(folder, "file"), "");
    const transport = new FolderTransport(join(folder, "file", "mail"), from);
    const error = await transport
      .send({ to: "a@b.test", subject: "s", text: "t", html: "h" })
      .catch((failure) => failure);
    expect(error).toMatchObject({ name: "MailError", isPermanent: false });
  });
});

describe("the wording", () => {
  test("escapes names in HTML and keeps them on one line", () => {
    const inviterName = '<img src=x onerror="alert(1)">\r\nBcc: eve@example.test';
    const mail = writeMail("ann@example.test", { kind: "invite", link, inviterName }, "Tom & <Jerry>");
    expect(mail.html).not.toContain("<img");
    expect(mail.html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt; Bcc: eve@example.test");
    expect(mail.html).toContain("Tom &amp; &lt;Jerry&gt;");
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.text.split("\n\n")).toHaveLength(3);
  });

  test.each(["password", "verify"] as const)(
    "the mail %s has the server's name and its link as text and HTML",
    (kind) => {
      const mail = writeMail("ann@example.test", { kind, link }, "Our Chat");
      expect(mail.subject).toContain("Our Chat");
      expect(mail.text).toContain(`\n\n${link}\n\n`);
      expect(mail.html).toContain(`<a href="${link}">${link}</a>`);
    },
  );
});
