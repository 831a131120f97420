import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { AppError } from "../errors.ts";
import { sendError } from "./error-handler.ts";
import { healthPaths } from "./routers/health.ts";
import { securityHeaders } from "./security-headers.ts";

/** How many refusals cost what one request does. */
const refusalsInATurn = 10;

/** Unanswered requests of one connection; one more closes it. Only programs that pipeline on purpose reach it. */
const maxRequestsPerConnection = 16;

/** What one connection, and all together, may ask for. */
export interface AdmissionLimits {
  /** From the headers of a request until the client has received the response. */
  responseTimeoutMs: number;
  /** Requests of all connections that wait to be handled. */
  maxQueuedRequests: number;
}

/**
 * Where requests come in, before any of the work that Express is. What there is no room for is refused here, unread.
 * One request begins in a turn of the event loop, or ten are refused, and the others wait for the next turns, in which
 * the sockets get theirs, too: a flood makes itself slow, and not those who chat. Whoever watches the process waits in
 * a line of its own.
 */
export function admissionControl(options: {
  app: RequestListener;
  limits: AdmissionLimits;
  asAppError: (error: unknown) => AppError;
  /** By method and path: throws while no more of it can be taken on; `ahead` are let in and not begun. */
  requireRoom?: ReadonlyMap<string, (ahead: number) => void>;
  /** Lets pages of allowed origins read the answer. */
  allowOrigins?: (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
}): RequestListener {
  const { app, limits, asAppError, requireRoom, allowOrigins } = options;
  const visitors = new WeakMap<Socket, ConnectionQuota>();
  const [requests, watchers, refusals] = [new RequestQueue(1), new RequestQueue(1), new RequestQueue(refusalsInATurn)];
  let ahead = 0;

  function letIn(request: IncomingMessage, response: ServerResponse): void {
    const path = straighten(request);
    const line = healthPaths.has(path) ? watchers : requests;
    if (line.length >= limits.maxQueuedRequests) throw tooMany();
    const requireItsRoom = requireRoom?.get(`${request.method} ${path}`);
    requireItsRoom?.(ahead);
    if (requireItsRoom) ahead++;
    line.join(request, () => {
      if (requireItsRoom) ahead--;
      if (!request.socket.destroyed) app(request, response);
    });
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: AppError): void {
    response.setHeader("Cache-Control", "no-store");
    if (allowOrigins) allowOrigins(request, response, () => sendError(response, error));
    else sendError(response, error);
  }

  return (request, response) => {
    const { socket } = request;
    const visitor = visitors.get(socket) ?? new ConnectionQuota(socket, limits);
    visitors.set(socket, visitor);
    if (!visitor.asks(response)) return;
    securityHeaders(request, response, () => {});
    try {
      letIn(request, response);
    } catch (error) {
      refusals.join(request, () => refuse(request, response, asAppError(error)));
    }
  };
}

const tooMany = () => new AppError("unavailable", "Too many requests at once. Try again.", { retryAfterMs: 1000 });

/**
 * There are many ways to write one address. This one is what both the door and the router go by from here on, or what is
 * bounded here under one spelling would go past under another.
 */
function straighten(request: IncomingMessage): string {
  const { url = "" } = request;
  const somewhere = "http://localhost";
  const whole = url.startsWith("/") ? `${somewhere}${url}` : url;
  const { pathname, search } = new URL(URL.canParse(whole, somewhere) ? whole : somewhere, somewhere);
  request.url = `${pathname}${search}`;
  return pathname;
}

/** One connection. It is answered in the order in which it asks. */
class ConnectionQuota {
  private unanswered = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly limits: AdmissionLimits,
  ) {
    socket.once("close", () => clearTimeout(this.timer));
  }

  /** Counts one request, and hangs up on who asks too much at once. */
  asks(response: ServerResponse): boolean {
    if (this.unanswered >= maxRequestsPerConnection) this.hangUp();
    if (this.socket.destroyed) return false;
    if (++this.unanswered === 1) this.waitForAnswer();
    response.once("close", () => {
      clearTimeout(this.timer);
      if (--this.unanswered > 0 && !this.socket.destroyed) this.waitForAnswer();
    });
    return true;
  }

  private waitForAnswer(): void {
    this.timer = setTimeout(() => this.hangUp(), this.limits.responseTimeoutMs);
  }

  private hangUp(): void {
    this.socket.destroy();
  }
}

/** Begins in each turn of the event loop what fits into it, in the order of arrival. Who has hung up takes no turn. */
class RequestQueue {
  private readonly waiting: { socket: Socket; begin: () => void }[] = [];

  constructor(private readonly perTurn: number) {}

  get length(): number {
    return this.waiting.length;
  }

  join({ socket }: IncomingMessage, begin: () => void): void {
    if (this.waiting.push({ socket, begin }) === 1) setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    const now: (() => void)[] = [];
    for (let left = this.perTurn; left > 0; ) {
      const next = this.waiting.shift();
      if (!next) break;
      now.push(next.begin);
      if (!next.socket.destroyed) left--;
    }
    if (this.waiting.length > 0) setImmediate(this.turn);
    for (const begin of now) begin();
  };
}
