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

/** The HTTP status of each error code. */
export const httpStatuses = {
  VALIDATION: 400,
  UNAUTHENTICATED: 401,
  BAD_CREDENTIALS: 401,
  REAUTH_REQUIRED: 403,
  FORBIDDEN: 403,
  NOT_MEMBER: 404,
  NOT_FOUND: 404,
  EMAIL_TAKEN: 409,
  CONFLICT: 409,
  LIMIT: 409,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
  BAD_JSON: 400,
  UNKNOWN_TYPE: 400,
  TOO_LARGE: 413,
  METHOD_NOT_ALLOWED: 405,
  FOREIGN_ORIGIN: 403,
} as const satisfies Record<ErrorCode, number>;
