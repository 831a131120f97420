import type { ServerResponse } from "node:http";
import type { ErrorRequestHandler, RequestHandler } from "express";
import { type EdgeError, errorResponse } from "../contract/problem.ts";
import type { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { contextOf } from "./request-context.ts";

/**
 * Sends an error as an RFC 9457 problem.
 * @param extensions further members of the problem
 */
export function sendError(
  response: ServerResponse,
  error: AppError | EdgeError,
  extensions?: Readonly<Record<string, unknown>>,
): void {
  const context = contextOf(response.req);
  const { status, code, headers, body } = errorResponse(error, context.id, extensions);
  context.code = code;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}

export const unknownRoute: RequestHandler = (_request, response) =>
  sendError(response, { code: "NOT_FOUND", detail: "No such path; see /api" });

export const wrongMethod = (allowed: readonly string[]): RequestHandler => {
  const methods = allowed.join(", ").toUpperCase();
  return (_request, response) => {
    response.set("Allow", methods);
    sendError(response, { code: "METHOD_NOT_ALLOWED", detail: `Allowed methods: ${methods}` });
  };
};

/** Errors of the body parser of Express, by their `type`. */
const bodyParserErrors: Record<string, EdgeError> = {
  "entity.parse.failed": { code: "BAD_JSON", detail: "The body must be one JSON object" },
  "entity.too.large": { code: "TOO_LARGE", detail: "The body is too large" },
};
const malformed: EdgeError = { code: "VALIDATION", detail: "The request is malformed" };

const isHttpError = (error: unknown): error is { status: number; type?: string } =>
  error instanceof Error && "status" in error && typeof error.status === "number" && error.status < 500;

/** Sends any error as a problem. Internal errors are logged with their cause and the request id that the problem contains. */
export const errorHandler =
  ({ asAppError, log }: { asAppError: (error: unknown) => AppError; log: Logger }): ErrorRequestHandler =>
  (error, request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (isHttpError(error)) {
      sendError(response, { ...(bodyParserErrors[error.type ?? ""] ?? malformed), status: error.status });
      return;
    }
    const appError = asAppError(error);
    const context = contextOf(request);
    context.userId ??= appError.logFields.userId;
    if (appError.kind === "internal") log.error({ err: appError.cause, requestId: context.id }, "request failed");
    sendError(response, appError);
  };
