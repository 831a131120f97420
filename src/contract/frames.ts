import type { ErrorCode } from "./error-codes.ts";
import type { MessageItem } from "./messages.ts";

/* The envelopes of the WebSocket. Every frame is one JSON text. */

/** Brought by the client, given back in the one answer. */
export type RequestId = string | number;

/** The type under which errors of frames that named no known type are answered. */
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

export interface ErrorFrame {
  error: true;
  type: string;
  message: string;
  code: ErrorCode;
  requestId?: RequestId;
  retryable?: true;
  retryAfterMs?: number;
}

const echoed = (requestId: RequestId | undefined) => (requestId === undefined ? {} : { requestId });

export function answerFrame<D, I>(type: string, reply: { data: D; item: I }, requestId?: RequestId): AnswerFrame<D, I> {
  const { data, item } = reply;
  return {
    type,
    success: true,
    params: { data, message: null, senderName: null, item, isBroadcast: false },
    ...echoed(requestId),
  };
}

export function pushFrame<I>(
  type: string,
  news: { message: string | null; senderName: string | null; item: I },
): PushFrame<I> {
  const { message, senderName, item } = news;
  return { type, success: true, params: { data: null, message, senderName, item, isBroadcast: true } };
}

export function errorFrame(
  type: string,
  error: { message: string; code: ErrorCode; retryAfterMs?: number | undefined },
  requestId?: RequestId,
): ErrorFrame {
  const { message, code, retryAfterMs } = error;
  return {
    error: true,
    type,
    message,
    code,
    ...echoed(requestId),
    ...(code === "UNAVAILABLE" && { retryable: true as const }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
