import type { Mail } from "../domain/mail.ts";

/** Takes mails to where they are read. */
export interface MailTransport {
  /** Resolves once the mail has been accepted. @throws MailError */
  send(mail: Mail): Promise<void>;
}

/** Who sends the mails. */
export interface Sender {
  name: string;
  address: string;
}

/** A mail that was not accepted. */
export class MailError extends Error {
  override readonly name = "MailError";

  /**
   * @param message the reason, for the log: without addresses and texts of the mail
   * @param isPermanent whether this mail was rejected for good; otherwise the transport does not work, or not now
   */
  constructor(
    message: string,
    readonly isPermanent = false,
  ) {
    super(message);
  }
}
