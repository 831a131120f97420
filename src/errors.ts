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
  | "registrationClosed"
  | "inviteInvalid"
  | "tokenInvalid"
  | "suspended"
  | "lastAdmin"
  | "notConfigured"
  | "tooLarge"
  | "quota"
  | "notReady"
  | "uploadMismatch"
  | "uploadStalled"
  | "lengthRequired"
  | "storageFull"
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
  /** The field that is invalid, such as `params.content`. Services give its name only; the edges add where it is. */
  readonly field: string | undefined;
  /** Logged with the request, never sent. */
  readonly logFields: ErrorLogFields;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: { retryAfterMs?: number; field?: string | undefined; cause?: unknown; logFields?: ErrorLogFields } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.retryAfterMs = options.retryAfterMs;
    this.field = options.field;
    this.logFields = options.logFields ?? {};
  }
}

/** Adds the part of the request in which the invalid field of an error is, such as `params`. */
export function withFieldIn(part: string, error: AppError): AppError {
  if (error.field === undefined) return error;
  const { kind, message, cause, logFields, field } = error;
  return new AppError(kind, message, { cause, logFields, field: `${part}.${field}` });
}

/** A start that cannot succeed. The message is one sentence for the operator; the process exits after it. */
export class StartError extends Error {
  override readonly name = "StartError";
}
