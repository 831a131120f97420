/** What a mail says, by its kind. A link carries a one-time token. */
export type MailContent =
  | { kind: "password" | "verify"; link: string }
  | { kind: "emailChanged" }
  | { kind: "invite"; link: string; inviterName: string };

export type MailKind = MailContent["kind"];

/** A mail as people read it. */
export interface Mail {
  /** One e-mail address. */
  to: string;
  subject: string;
  text: string;
  html: string;
}
