import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** What the log says about a request, besides what HTTP knows. */
export interface RequestContext {
  /** The `requestId` of error responses. */
  readonly id: string;
  /** The client's address. */
  readonly address: string;
  /** The user who made the request, or whose account it concerns; undefined if unknown. */
  userId?: number | undefined;
  /** The code of the error response. */
  code?: string;
}

const contexts = new WeakMap<IncomingMessage, RequestContext>();

/** Gives a request its id. */
export function startContext(request: IncomingMessage, address: string): RequestContext {
  const context = { id: randomUUID(), address };
  contexts.set(request, context);
  return context;
}

/** @throws Error for a request that did not pass the request log */
export function contextOf(request: IncomingMessage): RequestContext {
  const context = contexts.get(request);
  if (!context) throw new Error("the request has no context");
  return context;
}
