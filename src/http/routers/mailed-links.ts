import { emailAddress } from "../../contract/fields.ts";
import { closedObject, described, text } from "../../contract/schema.ts";
import { defineRoute } from "../route.ts";

const tag = "Authentication";

/** The token of a link in a mail. */
const linkToken = () => described(text({ max: 256 }), "The part of the link behind `#`.");

export const forgotPassword = defineRoute({
  method: "post",
  url: "/auth/password/forgot",
  summary:
    "Get a mail with a link to choose a new password. The answer is the same whether or not there is such an account. Each account gets at most three mails an hour; the link of the latest one works.",
  tag,
  public: true,
  limit: "mailsPerAddress",
  body: closedObject({ email: emailAddress() }),
  status: 202,
  errors: ["VALIDATION", "NOT_CONFIGURED"],
  example: { body: { email: "patrick0@example.org" } },
  async handle({ body, services: { mails } }) {
    mails.requireAvailable();
    await mails.queuePasswordMail(body.email);
  },
});

export const verifyEmail = defineRoute({
  method: "post",
  url: "/auth/email/verify",
  summary:
    "Confirm an e-mail address with the token of a mailed link. A new address of an account takes effect, which the earlier one is notified of.",
  tag,
  public: true,
  limit: "reconnectsPerAddress",
  body: closedObject({ token: linkToken() }),
  status: 204,
  errors: ["VALIDATION", "TOKEN_INVALID", "EMAIL_TAKEN"],
  example: { body: { token: "q2h0bGV0dGVyc19hbmRfZGlnaXRzX3Rha2VuX2F0X3I" } },
  handle: ({ body, services }) => services.verification.verify(body.token),
});

export const resendVerification = defineRoute({
  method: "post",
  url: "/auth/email/resend",
  summary: "Get the mail to confirm your e-mail address again. Earlier links end.",
  tag,
  status: 202,
  errors: ["CONFLICT", "NOT_CONFIGURED"],
  example: {},
  handle: ({ identity, services }) => services.verification.resend(identity.userId),
});

export const mailedLinkRoutes = [forgotPassword, verifyEmail, resendVerification];
