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

/** What an answer of this code is sent with; used by the documents too. */
export const statusOfCode: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(errorCodes).map(([kind, code]) => [code, httpStatus[kind as ErrorKind]]),
);

interface Refusal {
  status: number;
  code: ErrorCode;
  detail: string;
  retryAfterMs?: number | undefined;
}

function send(response: ServerResponse, { status, code, detail, retryAfterMs }: Refusal): void {
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

/** Answers with an error of ours. */
export const sendError = (response: ServerResponse, { kind, message, retryAfterMs }: AppError): void =>
  send(response, { status: httpStatus[kind], code: errorCodes[kind], detail: message, retryAfterMs });

export const unknownRoute: RequestHandler = (_request, response) =>
  send(response, { status: 404, code: "NOT_FOUND", detail: "There is no such address; see /api" });

export const wrongMethod =
  (allowed: readonly string[]): RequestHandler =>
  (_request, response) => {
    response.set("Allow", allowed.join(", ").toUpperCase());
    send(response, {
      status: 405,
      code: "METHOD_NOT_ALLOWED",
      detail: `Allowed here: ${allowed.join(", ").toUpperCase()}`,
    });
  };

/** What Express and its body parser refuse by themselves, by the `type` or the status they give it. */
const edgeRefusals: Record<string, { code: EdgeErrorCode; detail: string }> = {
  "entity.parse.failed": { code: "BAD_JSON", detail: "The body must be one JSON object" },
  "entity.too.large": { code: "TOO_LARGE", detail: "The body is too large" },
};

const isHttpError = (error: unknown): error is { status: number; type?: string } =>
  error instanceof Error && "status" in error && typeof error.status === "number" && error.status < 500;

/** Any error as one problem answer. Ours are logged; the body names the request that the log names. */
export const errorHandler =
  (asAppError: (error: unknown) => AppError): ErrorRequestHandler =>
  (error, request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (isHttpError(error)) {
      const refusal = edgeRefusals[error.type ?? ""] ?? { code: "VALIDATION", detail: "The request cannot be read" };
      send(response, { status: error.status, ...refusal });
      return;
    }
    const appError = asAppError(error);
    if (appError.kind === "internal") request.log.error({ err: appError.cause }, "a request failed");
    sendError(response, appError);
  };
