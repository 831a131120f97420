import { afterAll, beforeAll } from "@jest/globals";
import { TestMessenger } from "./messenger.ts";
import { TestSmtpServer } from "./smtp.ts";

/** A messenger that sends mails, and the SMTP server that receives them. */
export interface MailMessenger {
  messenger: TestMessenger;
  smtp: TestSmtpServer;
}

/** Starts both for all tests of a file. */
export function useMailMessenger(settings: Record<string, string> = {}): () => MailMessenger {
  let running: MailMessenger | undefined;
  beforeAll(async () => {
    const smtp = await TestSmtpServer.start();
    const mail = { SMTP_URL: smtp.url, MAIL_FROM: "chat@example.test", PUBLIC_URL: "https://chat.example.test" };
    running = { smtp, messenger: await TestMessenger.start({ ...mail, ...settings }) };
  });
  afterAll(async () => {
    await running?.messenger.closeDevices();
    await running?.messenger.stop();
    await running?.smtp.stop();
  });
  return () => {
    if (!running) throw new Error("the messenger is not running yet");
    return running;
  };
}
