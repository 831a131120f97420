import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";
import { registerSecret } from "./leak-scan.ts";

/** How long a mail may take, in milliseconds. */
const timeoutMs = 10_000;

/** A mail as its recipient gets it. */
export interface ReceivedMail extends Email {
  /** The recipients that the SMTP server was given. */
  recipients: string[];
}

/** Parses a message, and has the leak scan look for its token. */
export async function parseMail(message: Buffer | string, recipients: string[] = []): Promise<ReceivedMail> {
  const mail = await PostalMime.parse(message);
  registerSecret(tokenIn(mail), "text");
  return { ...mail, recipients };
}

/** The link in a mail; fails the test if there is none. */
export function linkIn({ text = "" }: Pick<Email, "text">): string {
  const [link] = /https?:\S+/.exec(text) ?? [];
  if (!link) throw new Error("the mail has no link");
  return link;
}

/** The token of the link in a mail; empty if there is none. */
export const tokenIn = ({ text = "" }: Pick<Email, "text">): string => /#([\w-]+)/.exec(text)?.[1] ?? "";

/** An SMTP server that keeps what it receives. */
export class TestSmtpServer {
  readonly mails: ReceivedMail[] = [];
  /** Recipients that are rejected, with the code of the answer. */
  readonly rejected = new Map<string, number>();
  private readonly received = new EventEmitter();
  private server: SMTPServer | undefined;

  private constructor(private port: number) {}

  static async start(): Promise<TestSmtpServer> {
    const smtp = new TestSmtpServer(0);
    await smtp.resume();
    return smtp;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Listens, at the same port as before, unless it does. */
  async resume(): Promise<void> {
    if (this.server) return;
    const server = new SMTPServer({
      authOptional: true,
      // Its built-in certificate has expired.
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => {
        done(Object.assign(new Error(`${username} is not ${password}`), { responseCode: 535 }));
      },
      onRcptTo: ({ address }, _session, done) => {
        const code = this.rejected.get(address);
        done(code === undefined ? null : Object.assign(new Error(`no mailbox ${address}`), { responseCode: code }));
      },
      onData: (stream, { envelope }, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const recipients = envelope.rcptTo.map(({ address }) => address);
          void parseMail(Buffer.concat(chunks), recipients).then((mail) => {
            this.mails.push(mail);
            this.received.emit("mail");
            done();
          });
        });
      },
    });
    const listener = server.listen(this.port, "127.0.0.1");
    await once(listener, "listening");
    this.port = (listener.address() as AddressInfo).port;
    this.server = server;
  }

  /** Stops listening. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** The mails to an address, once there are this many. */
  async mailsTo(address: string, count = 1): Promise<ReceivedMail[]> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      await nextTurn();
      const found = this.mails.filter(({ recipients }) => recipients.includes(address));
      if (found.length >= count) return found;
      await once(this.received, "mail", { signal }).catch(() => {
        throw new Error(`${address} got ${found.length} mails instead of ${count}`);
      });
    }
  }

  /** The latest mail to an address, once there are this many. */
  async latestTo(address: string, count = 1): Promise<ReceivedMail> {
    const mail = (await this.mailsTo(address, count)).at(-1);
    if (!mail) throw new Error(`${address} got no mail`);
    return mail;
  }
}
