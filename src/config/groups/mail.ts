import { choice, emailAddress, group, Unset, url } from "../setting.ts";

export const mailSettings = group(
  {
    title: "E-mail",
    note: "Links in mails begin with PUBLIC_URL. In production mails need all three: SMTP_URL, MAIL_FROM and PUBLIC_URL.",
  },
  {
    smtpUrl: url(
      "SMTP_URL",
      {
        schemes: ["smtp", "smtps"],
        form: "smtp://user:password@host:587",
        example: "smtp://user:password@mail.example.org:587?requireTLS=true",
      },
      new Unset("production sends no mail; development writes mails into DATA_DIR/mail"),
      "The server that sends mails. `smtps` encrypts from the start, `smtp` where the server offers it, with `?requireTLS=true` always.",
    ),
    from: emailAddress(
      "MAIL_FROM",
      new Unset("required with SMTP_URL"),
      "Address that mails come from, under SERVER_NAME.",
    ),
    verification: choice(
      "EMAIL_VERIFICATION",
      ["off", "required"],
      "off",
      "`required`: people who register have to confirm the e-mail address before writing; existing accounts count as confirmed.",
    ),
  },
);
