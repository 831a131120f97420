/**
 * What can go wrong, in words of the domain. The edges turn a kind into what their side speaks:
 * `http/error-handler.ts` into a status, `contract/error-codes.ts` into the code that clients read.
 */
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

/** An error whose message is meant for the person who made the request. Knows no HTTP and no sockets. */
export class AppError extends Error {
  /** How long to wait before trying again, in milliseconds; only where trying again can help. */
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly kind: ErrorKind,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** One sentence for the operator, then the end of the process: a start that cannot succeed. */
export class StartError extends Error {
  override readonly name = "StartError";
}
