import { STATUS_CODES } from "node:http";
import type { AppError } from "../errors.ts";
import { type ErrorCode, errorCode, errorCodes, httpStatuses, statusesOfKinds } from "./error-codes.ts";
import { retryAfterMs } from "./fields.ts";
import { described, exactly, type Infer, integer, named, object, optional, text } from "./schema.ts";

export const problem = named(
  "Problem",
  object({
    type: exactly("about:blank"),
    title: described(text({ max: 100 }), "The status in words."),
    status: integer({ min: 400, max: 599 }),
    detail: described(text({ max: 1000 }), "What is wrong and what to do, for people."),
    code: errorCode,
    field: optional(described(text({ max: 200 }), "With `VALIDATION`: the invalid field, such as `body.email`.")),
    requestId: described(text({ max: 64 }), "Quote it when you report an error; the server's log contains it."),
    retryAfterMs: optional(retryAfterMs()),
  }),
  "An error on HTTP (RFC 9457).",
);
export type Problem = Infer<typeof problem>;

export const problemMediaType = "application/problem+json";

/** An error that HTTP itself detects, before or without a request that reaches the services. */
export interface EdgeError {
  code: ErrorCode;
  detail: string;
  /** The status of the code by default. */
  status?: number;
}

/** An error response, independent of the way it is written. */
export interface ErrorResponse {
  status: number;
  code: ErrorCode;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/**
 * Builds the response to an error: the problem and its headers. It must not be cached.
 * @param extensions further members of the problem
 */
export function errorResponse(
  error: AppError | EdgeError,
  requestId: string,
  extensions: Readonly<Record<string, unknown>> = {},
): ErrorResponse {
  const { code, detail, status, field, retryAfterMs } = "kind" in error ? fromAppError(error) : fromEdgeError(error);
  const body: Problem & typeof extensions = {
    ...extensions,
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    code,
    ...(field !== undefined && { field }),
    requestId,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return {
    status,
    code,
    headers: {
      "Content-Type": problemMediaType,
      "Cache-Control": "no-store",
      ...(retryAfterMs !== undefined && { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) }),
      ...(status === 401 && { "WWW-Authenticate": "Bearer" }),
    },
    body: JSON.stringify(body),
  };
}

type ErrorFields = Pick<Problem, "code" | "detail" | "status"> & {
  field?: string | undefined;
  retryAfterMs?: number | undefined;
};

function fromAppError({ kind, message, field, retryAfterMs }: AppError): ErrorFields {
  const code = errorCodes[kind];
  return { code, detail: message, status: statusesOfKinds[kind] ?? httpStatuses[code], field, retryAfterMs };
}

const fromEdgeError = ({ code, detail, status = httpStatuses[code] }: EdgeError): ErrorFields => ({
  code,
  detail,
  status,
});
