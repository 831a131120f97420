import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { AppError } from "../errors.ts";
import { networkOf } from "../services/limits/rate-limits.ts";
import { sendError } from "./error-handler.ts";
import { isFileTransfer, rawPathOf } from "./file-transfers.ts";
import { normalizePath } from "./normal-path.ts";
import { contextOf } from "./request-context.ts";
import { healthPaths } from "./routers/health.ts";
import { securityHeaders } from "./security-headers.ts";

/** Rejections per turn of the event loop: about as much work as one request. */
const rejectionsPerTurn = 10;

/** Unanswered requests of one connection; one more closes it. Only programs that pipeline on purpose reach it. */
const maxRequestsPerConnection = 16;

/** Limits that are settings. */
export interface AdmissionLimits {
  /** From the headers of a request until the client has received the response. */
  responseTimeoutMs: number;
  /** Requests of all connections that wait to be handled. */
  maxQueuedRequests: number;
}

/**
 * Throws if no more requests of a kind can be accepted from an address. `queuedAhead` says how many of each address have been
 * admitted and not started.
 */
export type AssertCapacity = (address: string, queuedAhead: ReadonlyMap<string, number>) => void;

/**
 * Admits requests before Express handles them. A request beyond a limit is rejected without reading its body. One
 * request starts per turn of the event loop, or ten are rejected; the others wait for the next turns, so a flood of
 * requests does not delay the WebSockets. Health checks have a queue of their own.
 */
export function admissionControl(options: {
  app: RequestListener;
  limits: AdmissionLimits;
  asAppError: (error: unknown) => AppError;
  /** By method and path. */
  assertCapacity?: ReadonlyMap<string, AssertCapacity>;
  /** Sets the CORS headers, so that pages of allowed origins can read the error. */
  allowOrigins?: (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
}): RequestListener {
  const { app, limits, asAppError, assertCapacity, allowOrigins } = options;
  const quotas = new WeakMap<Socket, ConnectionQuota>();
  const requests = new RequestQueue(1);
  const healthChecks = new RequestQueue(1);
  const rejections = new RequestQueue(rejectionsPerTurn);
  const queuedAhead = new Map<string, number>();

  function admit(request: IncomingMessage, response: ServerResponse): void {
    const path = normalizePath(request);
    const queue = healthPaths.has(path) ? healthChecks : requests;
    if (queue.length >= limits.maxQueuedRequests) throw tooManyRequests();
    const assertRouteCapacity = assertCapacity?.get(`${request.method} ${path}`);
    const address = assertRouteCapacity && networkOf(contextOf(request).address);
    if (address !== undefined) {
      assertRouteCapacity?.(address, queuedAhead);
      queuedAhead.set(address, (queuedAhead.get(address) ?? 0) + 1);
    }
    queue.add(request, () => {
      if (address !== undefined) {
        const left = (queuedAhead.get(address) ?? 0) - 1;
        if (left > 0) queuedAhead.set(address, left);
        else queuedAhead.delete(address);
      }
      if (!request.socket.destroyed) app(request, response);
    });
  }

  function reject(request: IncomingMessage, response: ServerResponse, error: AppError): void {
    if (allowOrigins) allowOrigins(request, response, () => sendError(response, error));
    else sendError(response, error);
  }

  return (request, response) => {
    const { socket } = request;
    const quota = quotas.get(socket) ?? new ConnectionQuota(socket, limits);
    quotas.set(socket, quota);
    if (!quota.consume(request, response)) return;
    securityHeaders(request, response, () => {});
    try {
      admit(request, response);
    } catch (error) {
      rejections.add(request, () => reject(request, response, asAppError(error)));
    }
  };
}

const tooManyRequests = () =>
  new AppError("unavailable", "Too many requests at once. Try again.", { retryAfterMs: 1000 });

/** Limits the unanswered requests of one connection. They are answered in order. */
class ConnectionQuota {
  private unanswered = 0;
  /** Those that carry the content of a file, which may take as long as they make progress. */
  private transfers = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly limits: AdmissionLimits,
  ) {
    socket.once("close", () => clearTimeout(this.timer));
  }

  /** Counts one request. Disconnects the client and returns false if it exceeds the limit. */
  consume(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.unanswered >= maxRequestsPerConnection) this.disconnect();
    if (this.socket.destroyed) return false;
    const transfers = isFileTransfer(request.method, rawPathOf(request)) ? 1 : 0;
    this.transfers += transfers;
    if (++this.unanswered === 1) this.startTimer();
    response.once("close", () => {
      clearTimeout(this.timer);
      this.transfers -= transfers;
      if (--this.unanswered > 0 && !this.socket.destroyed) this.startTimer();
    });
    return true;
  }

  private startTimer(): void {
    const { bytesRead, bytesWritten } = this.socket;
    this.timer = setTimeout(() => {
      const hasProgressed = this.socket.bytesRead > bytesRead || this.socket.bytesWritten > bytesWritten;
      if (this.transfers > 0 && hasProgressed) this.startTimer();
      else this.disconnect();
    }, this.limits.responseTimeoutMs);
  }

  private disconnect(): void {
    this.socket.destroy();
  }
}

/** Starts up to `perTurn` requests per turn of the event loop, in order of arrival; closed connections do not count. */
class RequestQueue {
  private readonly waiting: { socket: Socket; start: () => void }[] = [];

  constructor(private readonly perTurn: number) {}

  get length(): number {
    return this.waiting.length;
  }

  add({ socket }: IncomingMessage, start: () => void): void {
    if (this.waiting.push({ socket, start }) === 1) setImmediate(this.runTurn);
  }

  private readonly runTurn = (): void => {
    const started: (() => void)[] = [];
    for (let left = this.perTurn; left > 0; ) {
      const next = this.waiting.shift();
      if (!next) break;
      started.push(next.start);
      if (!next.socket.destroyed) left--;
    }
    if (this.waiting.length > 0) setImmediate(this.runTurn);
    for (const start of started) start();
  };
}
