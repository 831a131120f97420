import { errorCodes } from "../contract/error-codes.ts";
import {
  type AnswerFrame,
  answerFrame,
  type ErrorFrame,
  errorFrame,
  type RequestId,
  unknownRequestType,
} from "../contract/frames.ts";
import { requestId as requestIdRule } from "../contract/fields.ts";
import { check } from "../contract/schema.ts";
import type { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Context } from "./message.ts";
import { registry } from "./registry.ts";

export interface DispatchOptions {
  asAppError: (error: unknown) => AppError;
  log: Logger;
}

/** The one answer to a frame: read it, find its type, check its params, do it. Never throws. */
export async function dispatch(
  text: string,
  context: Context,
  options: DispatchOptions,
): Promise<AnswerFrame | ErrorFrame> {
  const frame = parseObject(text);
  if (!frame) {
    return errorFrame(unknownRequestType, { code: "BAD_JSON", message: "A frame must be one JSON object" });
  }
  const messageType = typeof frame.type === "string" ? registry.get(frame.type) : undefined;
  const type = messageType?.type ?? unknownRequestType;
  let requestId: RequestId | undefined;
  try {
    requestId = readRequestId(frame);
    if (!messageType) return errorFrame(type, { code: "UNKNOWN_TYPE", message: "There is no such type" }, requestId);
    const params = check(messageType.params, frame.params, { label: "params" });
    return answerFrame(type, await messageType.handle(context, params), requestId);
  } catch (error) {
    return refusal(type, requestId, error, options);
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const readRequestId = (frame: Record<string, unknown>): RequestId | undefined =>
  frame.requestId === undefined ? undefined : check(requestIdRule(), frame.requestId, { label: "requestId" });

function refusal(
  type: string,
  requestId: RequestId | undefined,
  error: unknown,
  { asAppError, log }: DispatchOptions,
): ErrorFrame {
  const { kind, message, retryAfterMs, cause } = asAppError(error);
  const code = errorCodes[kind];
  if (kind !== "internal") return errorFrame(type, { code, message, retryAfterMs }, requestId);
  const errorId = crypto.randomUUID();
  log.error({ err: cause, errorId, type }, "a request failed");
  return errorFrame(type, { code, message: `${message}; quote ${errorId} when you report it` }, requestId);
}
