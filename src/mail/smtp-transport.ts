import type { Transporter } from "nodemailer";
import type { Mail } from "../domain/mail.ts";
import { messageOptions } from "./message.ts";
import { MailError, type MailTransport, type Sender } from "./transport.ts";

/** How long the SMTP server may take to accept a connection, to greet, and between two answers, in milliseconds. */
const connectMs = 10_000;
const silenceMs = 20_000;

/** Sends mails through an SMTP server, one connection for each. */
export class SmtpTransport implements MailTransport {
  private transporter: Transporter | undefined;

  /** @param url like `smtp://user:password@host:587`, with options of nodemailer in its query */
  constructor(
    private readonly url: string,
    private readonly from: Sender,
  ) {}

  async send(mail: Mail): Promise<void> {
    this.transporter ??= await this.open();
    try {
      await this.transporter.sendMail(messageOptions(mail, this.from));
    } catch (error) {
      throw asMailError(error as SmtpError);
    }
  }

  /** Loads nodemailer with the first mail, to start faster. */
  private async open(): Promise<Transporter> {
    const { createTransport } = await import("nodemailer");
    return createTransport({
      url: this.url,
      connectionTimeout: connectMs,
      greetingTimeout: connectMs,
      dnsTimeout: connectMs,
      socketTimeout: silenceMs,
    });
  }
}

/** The fields of nodemailer's errors. */
interface SmtpError extends Error {
  code?: string;
  command?: string;
  /** The code of the server's answer. */
  responseCode?: number;
}

/** Errors of the connection: their texts name the host and the reason, and nothing of a mail. */
const connectionErrors: ReadonlySet<string> = new Set(["ECONNECTION", "ETIMEDOUT", "ESOCKET", "EDNS", "ETLS"]);

/** Stages of SMTP in which the server has judged the mail. */
const judgesMail: ReadonlySet<string> = new Set(["API", "RCPT TO", "DATA"]);

function asMailError({ code = "error", command, responseCode, message }: SmtpError): MailError {
  const isAnswer = responseCode !== undefined;
  const rejectsMail = (code === "EENVELOPE" || code === "EMESSAGE") && judgesMail.has(command ?? "");
  const reason = connectionErrors.has(code) && !isAnswer ? `${code} ${message}` : code;
  return new MailError(
    [reason, command, responseCode].filter((part) => part !== undefined).join(" "),
    rejectsMail && (!isAnswer || responseCode >= 500),
  );
}
