/** The kinds of errors in the domain. `contract/error-codes.ts` maps each to its error code and HTTP status. */
export type ErrorKind =
  | "validation"
  | "unauthenticated"
  | "badCredentials"
  | "reauthRequired"
  | "forbidden"
  | "notMember"
  | "notFound"
  | "emailTaken"
  | "conflict"
  | "limit"
  | "rateLimited"
  | "unavailable"
  | "internal";

/** What the log says about an error, and no client. */
export interface ErrorLogFields {
  /** The account that the request concerns. */
  userId?: number | undefined;
}

/** An error whose message is shown to the client. Independent of HTTP and WebSockets. */
export class AppError extends Error {
  /** Milliseconds to wait before a retry; undefined if a retry cannot succeed. */
  readonly retryAfterMs: number | undefined;
  /** Logged with the request, never sent. */
  readonly logFields: ErrorLogFields;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown; logFields?: ErrorLogFields } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.retryAfterMs = options.retryAfterMs;
    this.logFields = options.logFields ?? {};
  }
}

/** A start that cannot succeed. The message is one sentence for the operator; the process exits after it. */
export class StartError extends Error {
  override readonly name = "StartError";
}
