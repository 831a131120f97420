import { type ErrorCode, errorCode } from "./error-codes.ts";
import { requestId, retryAfterMs } from "./fields.ts";
import type { MessageItem } from "./messages.ts";
import { described, exactly, type Infer, named, object, optional, text } from "./schema.ts";

/* The envelopes of the WebSocket. Every frame is one JSON text. */

/** The subprotocol of this contract. Browsers cannot set headers; they offer it beside `bearer.<token>`. */
export const subprotocol = "messenger.v1";

/** Sent by the client and returned in the one answer. */
export type RequestId = Infer<ReturnType<typeof requestId>>;

/** The type of errors that answer a frame without a known type. */
export const unknownRequestType = "processor";

export interface AnswerFrame<Data = unknown, Item = unknown> {
  type: string;
  success: true;
  params: { data: Data; message: null; senderName: null; item: Item; isBroadcast: false };
  requestId?: RequestId;
}

export interface PushFrame<Item = MessageItem> {
  type: string;
  success: true;
  params: { data: null; message: string | null; senderName: string | null; item: Item; isBroadcast: true };
}

export const errorFrameSchema = named(
  "ErrorFrame",
  object({
    error: exactly(true),
    type: described(text({ max: 64 }), `The type of the request; \`${unknownRequestType}\` if it named no known type.`),
    message: described(text({ max: 1000 }), "What is wrong, for people."),
    code: errorCode,
    field: optional(described(text({ max: 200 }), "With `VALIDATION`: the invalid field, such as `params.content`.")),
    requestId: optional(requestId()),
    retryable: optional(described(exactly(true), "The outcome is unknown; the same request may be sent again.")),
    retryAfterMs: optional(retryAfterMs()),
  }),
  "The answer to a request that was rejected.",
);
export type ErrorFrame = Infer<typeof errorFrameSchema>;

const withRequestId = (requestId: RequestId | undefined) => (requestId === undefined ? {} : { requestId });

export function answerFrame<D, I>(type: string, reply: { data: D; item: I }, requestId?: RequestId): AnswerFrame<D, I> {
  const { data, item } = reply;
  return {
    type,
    success: true,
    params: { data, message: null, senderName: null, item, isBroadcast: false },
    ...withRequestId(requestId),
  };
}

export function pushFrame<I>(
  type: string,
  params: { message: string | null; senderName: string | null; item: I },
): PushFrame<I> {
  const { message, senderName, item } = params;
  return { type, success: true, params: { data: null, message, senderName, item, isBroadcast: true } };
}

export function errorFrame(
  type: string,
  error: { message: string; code: ErrorCode; field?: string | undefined; retryAfterMs?: number | undefined },
  requestId?: RequestId,
): ErrorFrame {
  const { message, code, field, retryAfterMs } = error;
  return {
    error: true,
    type,
    message,
    code,
    ...(field !== undefined && { field }),
    ...withRequestId(requestId),
    ...(code === "UNAVAILABLE" && { retryable: true as const }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
