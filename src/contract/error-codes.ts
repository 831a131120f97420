import type { ErrorKind } from "../errors.ts";

/** The code that clients read for each kind of error, on HTTP and on the WebSocket alike. */
export const errorCodes = {
  validation: "VALIDATION",
  unauthenticated: "UNAUTHENTICATED",
  badCredentials: "BAD_CREDENTIALS",
  reauthRequired: "REAUTH_REQUIRED",
  forbidden: "FORBIDDEN",
  notMember: "NOT_MEMBER",
  notFound: "NOT_FOUND",
  emailTaken: "EMAIL_TAKEN",
  conflict: "CONFLICT",
  limit: "LIMIT",
  rateLimited: "RATE_LIMITED",
  unavailable: "UNAVAILABLE",
  internal: "INTERNAL",
} as const satisfies Record<ErrorKind, string>;

/** Every code there is. */
export type ErrorCode = (typeof errorCodes)[ErrorKind] | EdgeErrorCode;

/** What an edge answers to something that never became a request. */
export type EdgeErrorCode = "BAD_JSON" | "UNKNOWN_TYPE" | "TOO_LARGE" | "METHOD_NOT_ALLOWED" | "FOREIGN_ORIGIN";
