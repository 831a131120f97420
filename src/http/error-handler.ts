import { randomUUID } from "node:crypto";
import { STATUS_CODES, type ServerResponse } from "node:http";
import type { ErrorRequestHandler, RequestHandler } from "express";
import { type EdgeErrorCode, type ErrorCode, errorCodes } from "../contract/error-codes.ts";
import { type Problem, problemMediaType } from "../contract/problem.ts";
import type { AppError, ErrorKind } from "../errors.ts";

const httpStatus: Record<ErrorKind, number> = {
  validation: 400,
  unauthenticated: 401,
  badCredentials: 401,
  reauthRequired: 403,
  forbidden: 403,
  notMember: 404,
  notFound: 404,
  emailTaken: 409,
  conflict: 409,
  limit: 409,
  rateLimited: 429,
  unavailable: 503,
  internal: 500,
};

/** The HTTP status of each error code, also used in OpenAPI. */
export const statusOfCode: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(errorCodes).map(([kind, code]) => [code, httpStatus[kind as ErrorKind]]),
);

interface ErrorResponse {
  status: number;
  code: ErrorCode;
  detail: string;
  retryAfterMs?: number | undefined;
}

function send(response: ServerResponse, { status, code, detail, retryAfterMs }: ErrorResponse): void {
  const problem: Problem = {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    code,
    requestId: String(response.req.id ?? randomUUID()),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  if (retryAfterMs !== undefined) response.setHeader("Retry-After", String(Math.ceil(retryAfterMs / 1000)));
  if (status === 401) response.setHeader("WWW-Authenticate", "Bearer");
  response.statusCode = status;
  response.setHeader("Content-Type", `${problemMediaType}; charset=utf-8`);
  response.end(JSON.stringify(problem));
}

/** Sends an AppError as an RFC 9457 problem. */
export const sendError = (response: ServerResponse, { kind, message, retryAfterMs }: AppError): void =>
  send(response, { status: httpStatus[kind], code: errorCodes[kind], detail: message, retryAfterMs });

export const unknownRoute: RequestHandler = (_request, response) =>
  send(response, { status: 404, code: "NOT_FOUND", detail: "No such path; see /api" });

export const wrongMethod =
  (allowed: readonly string[]): RequestHandler =>
  (_request, response) => {
    response.set("Allow", allowed.join(", ").toUpperCase());
    send(response, {
      status: 405,
      code: "METHOD_NOT_ALLOWED",
      detail: `Allowed methods: ${allowed.join(", ").toUpperCase()}`,
    });
  };

/** Errors of the body parser of Express, by their `type`. */
const bodyParserErrors: Record<string, { code: EdgeErrorCode; detail: string }> = {
  "entity.parse.failed": { code: "BAD_JSON", detail: "The body must be one JSON object" },
  "entity.too.large": { code: "TOO_LARGE", detail: "The body is too large" },
};

const isHttpError = (error: unknown): error is { status: number; type?: string } =>
  error instanceof Error && "status" in error && typeof error.status === "number" && error.status < 500;

/** Sends any error as a problem. Internal errors are logged under the request id that the problem contains. */
export const errorHandler =
  (asAppError: (error: unknown) => AppError): ErrorRequestHandler =>
  (error, request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (isHttpError(error)) {
      const errorResponse = bodyParserErrors[error.type ?? ""] ?? {
        code: "VALIDATION",
        detail: "The request is malformed",
      };
      send(response, { status: error.status, ...errorResponse });
      return;
    }
    const appError = asAppError(error);
    if (appError.kind === "internal") request.log.error({ err: appError.cause }, "a request failed");
    sendError(response, appError);
  };
