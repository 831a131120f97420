import { MessengerError } from "messenger-client";
import { messenger } from "./messenger.ts";

const sentences: Readonly<Record<string, string>> = {
  BAD_CREDENTIALS: "The e-mail address or the password is wrong.",
  REAUTH_REQUIRED: "The password is wrong.",
  EMAIL_TAKEN: "There already is an account with this e-mail address.",
  OFFLINE: "The server cannot be reached. Check your connection and try again.",
  UNAVAILABLE: "The server is not available right now. Try again in a moment.",
  NOT_MEMBER: "You are no longer in this chat.",
  NOT_FOUND: "This person or message no longer exists.",
  FORBIDDEN: "You are not allowed to do this.",
  LOGGED_OUT: "You are logged out.",
  INVITE_INVALID: "This invite is not valid any more, or it is for another e-mail address.",
  TOKEN_INVALID: "This link does not work. It has expired, or was used already.",
  SUSPENDED: "This account is suspended. Ask an administrator of this server.",
  LAST_ADMIN: "This is the last administrator. Make somebody else an administrator first.",
  NOT_CONFIGURED: "This server sends no e-mail. Ask an administrator of it.",
  INTERNAL: "Something went wrong on the server. Try again.",
};

/** What an error means for the person in front of the page, without codes. */
export function errorText(error: unknown): string {
  if (!(error instanceof MessengerError)) return "Something went wrong. Try again.";
  if (error.code === "RATE_LIMITED") {
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000));
    return `Too many attempts. Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`;
  }
  if (error.code === "FORBIDDEN" && isUnconfirmed()) return "Confirm your e-mail address first.";
  return sentences[error.code] ?? sentence(error.message);
}

/** Whether the user may not write yet. */
function isUnconfirmed(): boolean {
  const user = messenger.user.value;
  return user !== undefined && user.pendingEmail === user.email;
}

/** The field of a form that the error is about. */
export const errorField = (error: unknown): string | undefined =>
  error instanceof MessengerError ? (error.field?.split(".").pop() ?? fieldOfCode[error.code]) : undefined;

const fieldOfCode: Readonly<Record<string, string>> = { EMAIL_TAKEN: "email", REAUTH_REQUIRED: "password" };

/** Messages of the server begin with the quoted name of the field, which stands beside them here. */
function sentence(message: string): string {
  const text = message.replace(/^"[^"]*"\s*/, "").replace(/\.$/, "");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
