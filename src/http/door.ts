import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AppError } from "../errors.ts";
import { sendError } from "./error-handler.ts";
import type { AnyRoute, HttpServices } from "./route.ts";

/** Of a turn: what a refusal costs of what a request does. */
const refusalShare = 0.1;

/**
 * Where requests come in, before any of the work that Express is. What there is no room for is refused here, unread.
 * One request begins, or ten are refused, in a turn of the event loop, and the others wait for the next turns, in which
 * the sockets get theirs, too: a flood makes itself slow, and not those who chat. Whoever watches the process is first.
 */
export function door(options: {
  app: RequestListener;
  routes: readonly AnyRoute[];
  services: HttpServices;
  /** Lets pages of allowed origins read the answer. */
  allowOrigins: (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
  asAppError: (error: unknown) => AppError;
}): RequestListener {
  const { app, routes, services, allowOrigins, asAppError } = options;
  const bounded = new Map(
    routes.map(({ method, url, requireRoom }) => [`${method.toUpperCase()} ${url}`, requireRoom]),
  );
  const inTurn = turns();
  let ahead = 0;

  return (request, response) => {
    const { method, url = "" } = request;
    const requireRoom = bounded.get(`${method} ${url}`);
    if (!requireRoom) return inTurn(() => app(request, response), { first: url.startsWith("/health/") });
    try {
      requireRoom(services, ahead);
    } catch (error) {
      const refuse = () => {
        response.setHeader("Cache-Control", "no-store");
        allowOrigins(request, response, () => sendError(response, asAppError(error)));
      };
      return inTurn(refuse, { share: refusalShare });
    }
    ahead++;
    inTurn(() => {
      ahead--;
      app(request, response);
    });
  };
}

/** Begins in each turn of the event loop what fits into it, in the order of arrival. */
function turns(): (begin: () => void, options?: { first?: boolean; share?: number }) => void {
  const waiting: { begin: () => void; share: number }[] = [];
  const turn = () => {
    for (let left = 1; left > 0 && waiting.length > 0; ) {
      const next = waiting.shift();
      next?.begin();
      left -= next?.share ?? 1;
    }
    if (waiting.length > 0) setImmediate(turn);
  };
  return (begin, { first = false, share = 1 } = {}) => {
    if (waiting[first ? "unshift" : "push"]({ begin, share }) === 1) setImmediate(turn);
  };
}
