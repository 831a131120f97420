import type { ErrorKind } from "../errors.ts";
import { described, named, oneOf, type Schema } from "./schema.ts";

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
  registrationClosed: "REGISTRATION_CLOSED",
  inviteInvalid: "INVITE_INVALID",
  tokenInvalid: "TOKEN_INVALID",
  suspended: "SUSPENDED",
  lastAdmin: "LAST_ADMIN",
  notConfigured: "NOT_CONFIGURED",
  tooLarge: "TOO_LARGE",
  quota: "QUOTA",
  notReady: "NOT_READY",
  uploadMismatch: "UPLOAD_MISMATCH",
  uploadStalled: "UPLOAD_MISMATCH",
  lengthRequired: "VALIDATION",
  storageFull: "UNAVAILABLE",
  conflict: "CONFLICT",
  limit: "LIMIT",
  rateLimited: "RATE_LIMITED",
  unavailable: "UNAVAILABLE",
  internal: "INTERNAL",
} as const satisfies Record<ErrorKind, string>;

/** Codes for what is rejected before it becomes a request of a known route or type. */
export type EdgeErrorCode = "BAD_JSON" | "UNKNOWN_TYPE" | "METHOD_NOT_ALLOWED" | "FOREIGN_ORIGIN";

export type ErrorCode = (typeof errorCodes)[ErrorKind] | EdgeErrorCode;

/** Every error code, with its meaning for clients. */
export const errorCodeMeanings: Readonly<Record<ErrorCode, string>> = {
  VALIDATION: "A field is invalid; the text names the field and its rule.",
  UNAUTHENTICATED: "The token is missing, invalid or expired, or its session has ended.",
  BAD_CREDENTIALS: "The e-mail address or the password is wrong.",
  REAUTH_REQUIRED: "The change needs the current password.",
  FORBIDDEN: "The user's role does not allow this, or the user has to confirm an e-mail address first.",
  NOT_MEMBER: "The chat does not exist, or the user is not a member of it.",
  NOT_FOUND: "The object does not exist, or the user may not see it.",
  EMAIL_TAKEN: "Another account has this e-mail address.",
  REGISTRATION_CLOSED: "Nobody may register, or only with an invite, or only with addresses of certain domains.",
  INVITE_INVALID: "The invite is unknown, used up, expired or revoked, or for another e-mail address.",
  TOKEN_INVALID: "The link is unknown, used or expired.",
  SUSPENDED: "An administrator has suspended the account.",
  LAST_ADMIN: "The server would be left without an administrator.",
  NOT_CONFIGURED: "The server is not set up for this.",
  CONFLICT: "The current state does not allow this.",
  LIMIT: "A maximum is reached.",
  RATE_LIMITED: "Too many requests; wait `retryAfterMs`.",
  UNAVAILABLE:
    "The server cannot process the request now, or its outcome is unknown; repeat it with the same `clientMessageId`.",
  INTERNAL: "Internal server error.",
  BAD_JSON: "The body or frame is not one JSON object.",
  UNKNOWN_TYPE: "There is no such message type. WebSocket only.",
  TOO_LARGE: "The body or the file is too large. HTTP only.",
  QUOTA: "The files of the user, or of the server, take all the space that they may. HTTP only.",
  NOT_READY: "The content of the file has not been received, or not been scanned. HTTP only.",
  UPLOAD_MISMATCH: "The content does not have the announced size, or was cut off; nothing was kept. HTTP only.",
  METHOD_NOT_ALLOWED: "The address does not have this method; `Allow` lists those it has. HTTP only.",
  FOREIGN_ORIGIN: "The page's origin may not open a WebSocket. Only in answer to the upgrade request.",
};

/** The code of an error, for programs. */
export const errorCode: Schema<ErrorCode> = named(
  "ErrorCode",
  described(
    oneOf(...(Object.keys(errorCodeMeanings) as ErrorCode[])),
    Object.entries(errorCodeMeanings)
      .map(([code, meaning]) => `\`${code}\`: ${meaning}`)
      .join("\n\n"),
  ),
);

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
  REGISTRATION_CLOSED: 403,
  INVITE_INVALID: 403,
  TOKEN_INVALID: 403,
  SUSPENDED: 403,
  LAST_ADMIN: 409,
  NOT_CONFIGURED: 501,
  QUOTA: 403,
  NOT_READY: 409,
  UPLOAD_MISMATCH: 422,
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

/** The HTTP status of kinds of errors for which it is not that of their code. */
export const statusesOfKinds: Partial<Record<ErrorKind, number>> = {
  uploadStalled: 408,
  lengthRequired: 411,
  storageFull: 507,
};
