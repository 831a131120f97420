import type { Mail, MailContent } from "../domain/mail.ts";
import { escapeHtml } from "../escape-html.ts";

/** A mail before it is text and HTML: paragraphs, of which one may be a link. */
interface Draft {
  subject: string;
  paragraphs: readonly (string | { link: string })[];
}

/** How each kind of mail is worded. Nobody but an inviter can put words into a mail to somebody else's address. */
function draft(content: MailContent, serverName: string): Draft {
  switch (content.kind) {
    case "password":
      return {
        subject: `Choose a new password for ${serverName}`,
        paragraphs: [
          `Somebody asked for a new password for your account at ${serverName}. To choose one, open this link within 30 minutes:`,
          { link: content.link },
          "If it was not you, ignore this mail: your password stays as it is.",
        ],
      };
    case "verify":
      return {
        subject: `Confirm your e-mail address for ${serverName}`,
        paragraphs: [
          `To confirm that this is your e-mail address at ${serverName}, open this link within 24 hours:`,
          { link: content.link },
          `If you have no account at ${serverName}, ignore this mail.`,
        ],
      };
    case "emailChanged":
      return {
        subject: `Your e-mail address at ${serverName} was changed`,
        paragraphs: [
          `Your account at ${serverName} has a new e-mail address now. Mails no longer go to this one, and you log in with the new one.`,
          `If you did not change it, contact an administrator of ${serverName}.`,
        ],
      };
    case "invite":
      return {
        subject: `${content.inviterName} invites you to ${serverName}`,
        paragraphs: [
          `${content.inviterName} invites you to ${serverName}. To create your account, open this link:`,
          { link: content.link },
          "If you do not know the sender, ignore this mail.",
        ],
      };
  }
}

/** Words a mail, as text and as HTML. */
export function writeMail(to: string, content: MailContent, serverName: string): Mail {
  const { subject, paragraphs } = draft(content, serverName);
  const text = paragraphs.map((part) => (typeof part === "string" ? oneLine(part) : part.link)).join("\n\n");
  const html = paragraphs.map((part) => `<p>${toHtml(part)}</p>`).join("\n");
  return {
    to,
    subject: oneLine(subject),
    text: `${text}\n`,
    html: `<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>${escapeHtml(oneLine(subject))}</title>\n${html}\n</html>\n`,
  };
}

function toHtml(part: string | { link: string }): string {
  if (typeof part === "string") return escapeHtml(oneLine(part));
  const link = escapeHtml(part.link);
  return `<a href="${link}">${link}</a>`;
}

/** Names could bring line breaks and other controls, with which they would end a header or a paragraph. */
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
