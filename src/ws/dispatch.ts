import type { Requester } from "../domain/actor.ts";
import { errorCodes } from "../contract/error-codes.ts";
import { requestId as requestIdRule } from "../contract/fields.ts";
import { answerFrame, type ErrorFrame, errorFrame, type RequestId, unknownRequestType } from "../contract/frames.ts";
import { check, object } from "../contract/schema.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";
import type { FairQueue } from "../concurrency/fair-queue.ts";
import type { Request } from "./connection.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { AnyMessageType, Context } from "./message-type.ts";
import { registry } from "./registry.ts";

export interface DispatchOptions {
  guard: FloodGuard;
  /** Of whatever is not a change of a chat: a crowd that reads leaves connections to the database to those who write. */
  turns: FairQueue;
  asAppError: (error: unknown) => AppError;
  log: Logger;
}

/** Keys that are not read here are ignored, but for the one that no JSON from outside may hold; see `check`. */
const anyFrame = object({});
const prototypeKey = /__proto__|\\u/;

/** Made once: making a schema takes far longer than applying it. */
const requestIdSchema = requestIdRule();

/** Reads a frame: what it asks for, and how it will be answered. Never throws, and neither does the answer. */
export function readRequest(
  text: string,
  contextOf: (requester: Requester) => Context,
  options: DispatchOptions,
): Request {
  const { guard, turns } = options;
  const malformed = (frame: ErrorFrame): Request => ({
    pipelined: true,
    async answer() {
      guard.noteMalformed();
      return frame;
    },
    giveUp: () => frame,
  });
  const frame = parseObject(text);
  if (!frame) {
    return malformed(errorFrame(unknownRequestType, { code: "BAD_JSON", message: "A frame must be one JSON object" }));
  }
  const messageType = typeof frame.type === "string" ? registry.get(frame.type) : undefined;
  const type = messageType?.type ?? unknownRequestType;
  let requestId: RequestId | undefined;
  try {
    requestId = readRequestId(frame);
    if (!messageType) {
      return malformed(errorFrame(type, { code: "UNKNOWN_TYPE", message: "There is no such type" }, requestId));
    }
    if (prototypeKey.test(text)) check(anyFrame, frame, { label: "frame" });
  } catch (error) {
    return malformed(refusal(type, requestId, error, options));
  }
  return {
    pipelined: messageType.pipelined ?? false,
    async answer(requester) {
      try {
        await guard.admit(limitOf(messageType));
        const params = check(messageType.params, frame.params, { label: "params" });
        const context = contextOf(requester);
        const handle = () => messageType.handle(context, params);
        const answer = changesChat(messageType) ? handle() : turns.run(context.user.userId, handle);
        return answerFrame(type, await answer, requestId);
      } catch (error) {
        return refusal(type, requestId, error, options);
      }
    },
    giveUp: () => refusal(type, requestId, stopping(), options),
  };
}

const stopping = () => new AppError("unavailable", "The server stops. Try again.", { retryAfterMs: 1000 });

/** What changes a chat is pushed as such a change. */
const changesChat = ({ push }: AnyMessageType): boolean => push?.matches !== undefined;

const limitOf = (messageType: AnyMessageType): RateLimitName =>
  changesChat(messageType) ? "messagesPerUser" : "requestsPerUser";

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
  frame.requestId === undefined ? undefined : check(requestIdSchema, frame.requestId, { label: "requestId" });

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
