import type { ErrorCode } from "./protocol.ts";

/**
 * Codes of errors that do not come from the server:
 * - `OFFLINE`: there is no connection, or it was lost before the answer
 * - `LOGGED_OUT`: nobody is logged in
 * - `UNSENT`: there are unsent messages, which a log-out would leave behind
 * - `DISCARDED`: the message was discarded before it was sent
 * - `STORE`: the store failed
 * - `FILE_LOST`: the content of a file to send was not kept
 */
export type ClientErrorCode = "OFFLINE" | "LOGGED_OUT" | "UNSENT" | "DISCARDED" | "STORE" | "FILE_LOST";

/** An error of the server or of the client, by code. */
export class MessengerError extends Error {
  override readonly name = "MessengerError";
  /** For programs. A newer server may send codes that this version does not list. */
  readonly code: ErrorCode | ClientErrorCode;
  /** With `VALIDATION`: the invalid field. */
  readonly field: string | undefined;
  /** How long to wait before the next attempt, in milliseconds, if the server said so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode | ClientErrorCode,
    message: string,
    details: { field?: string | undefined; retryAfterMs?: number | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** Whether the same request can succeed later, without any change. */
  get retryable(): boolean {
    return this.code === "UNAVAILABLE" || this.code === "RATE_LIMITED" || this.code === "OFFLINE";
  }
}

/** Any thrown value as a `MessengerError`. */
export const toMessengerError = (error: unknown): MessengerError =>
  error instanceof MessengerError ? error : new MessengerError("OFFLINE", String(error));
