/** The mails that the server sends. */
export const mailKinds = ["password", "verify", "emailChanged", "invite"] as const;
export type MailKind = (typeof mailKinds)[number];

/** What a mail says, by its kind. A link carries a one-time token. */
export type MailContent =
  | { kind: "password" | "verify"; link: string }
  | { kind: "emailChanged" }
  | { kind: "invite"; link: string; inviterName: string };

/** A mail as people read it. */
export interface Mail {
  /** One e-mail address. */
  to: string;
  subject: string;
  text: string;
  html: string;
}
