import { MessengerError } from "messenger-client";
import { AccountLinks } from "messenger-client/account";

export const accountLinks = new AccountLinks({ url: location.origin });

/** Whether the server does not accept the token of a link: it is wrong, used or expired. */
export const isRejectedLink = (error: unknown): boolean =>
  error instanceof MessengerError &&
  (error.code === "TOKEN_INVALID" || (error.code === "VALIDATION" && error.field === "body.token"));
