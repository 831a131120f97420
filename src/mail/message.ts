import type { Mail } from "../domain/mail.ts";
import type { Sender } from "./transport.ts";

/** What nodemailer makes the message of. Addresses are objects and not texts, in which a comma would add a recipient. */
export const messageOptions = (mail: Mail, from: Sender) => ({
  from,
  to: { name: "", address: mail.to },
  envelope: { from: from.address, to: { name: "", address: mail.to } },
  subject: mail.subject,
  text: mail.text,
  html: mail.html,
  // Programs that answer mails, such as out-of-office notes, stay silent (RFC 3834).
  headers: { "Auto-Submitted": "auto-generated" },
  disableFileAccess: true,
  disableUrlAccess: true,
});
