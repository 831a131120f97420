import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { mailMode } from "../src/config/mail-mode.ts";
import { readSettings } from "../src/config/read-settings.ts";
import { onServer } from "./support/databases.ts";
import { useMailMessenger } from "./support/mail-messenger.ts";
import { TestMessenger } from "./support/messenger.ts";
import { account, register, useProcesses } from "./support/processes.ts";
import { linkIn, parseMail, TestSmtpServer } from "./support/smtp.ts";

/* POST /auth/password/forgot, on whole servers. What happens to the mail is in mail-outbox.test.ts. */

const production = {
  NODE_ENV: "production",
  JWT_SECRET: "Zm9yIHRlc3RzIG9ubHksIG5vdCBhIHNlY3JldA9k3",
  BCRYPT_COST: "10",
};

const running = useMailMessenger({ SERVER_NAME: "Our Chat" });

const forgot = (messenger: TestMessenger, email: unknown) =>
  messenger.http("POST", "/auth/password/forgot", { body: { email } });

describe("a forgotten password", () => {
  test("is answered alike with and without an account; only the account gets a mail", async () => {
    const { messenger, smtp } = running();
    const { email } = await messenger.person();
    const answers = [await forgot(messenger, "nobody@example.test"), await forgot(messenger, email)];
    expect(answers.map(({ status, body }) => ({ status, body }))).toEqual([
      { status: 202, body: "" },
      { status: 202, body: "" },
    ]);
    const mail = await smtp.latestTo(email);
    expect(mail.subject).toBe("Choose a new password for Our Chat");
    expect(mail.from).toEqual({ name: "Our Chat", address: "chat@example.test" });
    expect(linkIn(mail)).toMatch(/^https:\/\/chat\.example\.test\/reset#[\w-]{43}$/);
    expect(smtp.mails).toHaveLength(1);
  });

  test("needs an e-mail address", async () => {
    const { status, body } = await forgot(running().messenger, "nonsense");
    expect({ status, code: body.code, field: body.field }).toEqual({
      status: 400,
      code: "VALIDATION",
      field: "body.email",
    });
  });
});

test("GET /api/info says that mail works", async () => {
  expect((await running().messenger.http("GET", "/api/info")).body.email).toBe(true);
});

describe("without SMTP", () => {
  test("development writes the mail into DATA_DIR/mail, with a link to the address on which the server listens, and limits requests", async () => {
    const messenger = await TestMessenger.start({ RATE_LIMITS: "on", LIMIT_MAILS_PER_ADDRESS: "2+1/60s" });
    const { email } = await messenger.person();
    await forgot(messenger, email);
    const folder = join(messenger.dataDir, "mail");
    const mail = await parseMail(await readFile(join(folder, await firstMailIn(folder))));
    expect(mail.to).toEqual([{ name: "", address: email }]);
    expect(linkIn(mail)).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${messenger.port}/reset#`));

    const further = [await forgot(messenger, email), await forgot(messenger, email)];
    expect(further.map(({ status }) => status)).toEqual([202, 429]);
    await messenger.stop();
  });

  test("production answers 501, and says in /api/info that there is no mail", async () => {
    const messenger = await TestMessenger.start(production);
    const { status, body } = await forgot(messenger, "ann@example.test");
    expect({ status, code: body.code }).toEqual({ status: 501, code: "NOT_CONFIGURED" });
    expect((await messenger.http("GET", "/api/info")).body.email).toBe(false);
    const { token } = await messenger.person();
    expect((await messenger.http("POST", "/auth/email/resend", { token })).body.code).toBe("NOT_CONFIGURED");
    expect(await messenger.sql("SELECT 1 FROM mail_outbox")).toEqual([]);
    await messenger.stop();
  });

  test("production needs PUBLIC_URL too, because a request's Host can be anybody's", () => {
    const smtp = { SMTP_URL: "smtp://127.0.0.1", MAIL_FROM: "chat@example.test" };
    expect(mailMode(readSettings({ ...production, ...smtp }))).toBe("none");
    expect(mailMode(readSettings({ ...production, ...smtp, PUBLIC_URL: "https://chat.example.test" }))).toBe("smtp");
    expect(mailMode(readSettings(smtp))).toBe("smtp");
  });

  test("production cannot require confirmed addresses", () => {
    expect(() => readSettings({ ...production, EMAIL_VERIFICATION: "required" })).toThrow(
      "EMAIL_VERIFICATION=required needs SMTP_URL, MAIL_FROM and PUBLIC_URL",
    );
    expect(() => readSettings({ SMTP_URL: "smtp://127.0.0.1" })).toThrow("MAIL_FROM is required with SMTP_URL");
  });
});

/** The mail that is written next. */
async function firstMailIn(folder: string): Promise<string> {
  const signal = AbortSignal.timeout(10_000);
  for (;;) {
    const [name] = (await readdir(folder).catch(() => [])).filter((found) => found.endsWith(".eml"));
    if (name) return name;
    signal.throwIfAborted();
  }
}

if (onServer) {
  describe("two server processes", () => {
    const processes = useProcesses();

    test("send a mail once", async () => {
      const smtp = await TestSmtpServer.start();
      const settings = { SMTP_URL: smtp.url, MAIL_FROM: "chat@example.test" };
      const [first, second] = [await processes.start(settings), await processes.start(settings)];
      await register(first);
      const ask = ({ port }: { port: number }) =>
        fetch(`http://127.0.0.1:${port}/auth/password/forgot`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ email: account.email }),
        });
      for (const server of [first, second, first]) expect((await ask(server)).status).toBe(202);
      await smtp.mailsTo(account.email, 3);
      await Promise.all([first.stop("SIGTERM"), second.stop("SIGTERM")]);
      expect(smtp.mails).toHaveLength(3);
      await smtp.stop();
    });
  });
}
