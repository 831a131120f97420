import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AppError } from "../errors.ts";
import { sendError } from "./error-handler.ts";
import type { AnyRoute, HttpServices } from "./route.ts";

/**
 * Where requests come in, before any of the work that Express is. What there is no room for is refused here, unread.
 * Of the rest one begins in a turn of the event loop, and the others wait for the next turns, in which the sockets get
 * theirs, too: a flood of requests makes itself slow, and not those who chat. Whoever watches the process need not wait.
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
  const begin = inTurns(app);

  return (request, response) => {
    const { method, url = "" } = request;
    if (url.startsWith("/health/")) return app(request, response);
    try {
      bounded.get(`${method} ${url}`)?.(services);
    } catch (error) {
      response.setHeader("Cache-Control", "no-store");
      return allowOrigins(request, response, () => sendError(response, asAppError(error)));
    }
    begin(request, response);
  };
}

function inTurns(listener: RequestListener): RequestListener {
  const waiting: (() => void)[] = [];
  const turn = () => {
    waiting.shift()?.();
    if (waiting.length > 0) setImmediate(turn);
  };
  return (request, response) => {
    if (waiting.push(() => listener(request, response)) === 1) setImmediate(turn);
  };
}
