import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../logger.ts";
import { clientAddress, plainAddress } from "../services/limits/client-address.ts";
import { normalizePath } from "./normal-path.ts";
import { startContext } from "./request-context.ts";
import { routeTemplate } from "./route-template.ts";
import { healthPaths } from "./routers/health.ts";
import { isWebFile } from "./web-paths.ts";

/**
 * Gives each request its id and logs one line when it ends: route, method, status, duration, request id, address, and the
 * user and error code if there is one. Never the path, query, headers or body. Health checks, of which there
 * may be one a second, and the files of the web client, of which a page needs several, are logged at debug.
 */
export function requestLog(
  log: Logger,
  { trustedProxyHops = 0 }: { trustedProxyHops?: number } = {},
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (request, response, next) => {
    const startedAt = performance.now();
    const path = normalizePath(request);
    const context = startContext(request, plainAddress(clientAddress(request, trustedProxyHops)));
    // What a client pipelined after it was disconnected is not logged: it could be a flood.
    let isLogged = request.socket.destroyed;
    const write = () => {
      if (isLogged) return;
      isLogged = true;
      const { statusCode, headersSent, writableFinished } = response;
      const isHealthCheck = healthPaths.has(path) && !(statusCode >= 400 && statusCode < 500);
      const isSentFile = isWebFile(path) && statusCode < 400;
      log[isHealthCheck || isSentFile ? "debug" : "info"](
        {
          route: routeTemplate(path),
          method: request.method,
          ...(headersSent && { status: statusCode }),
          code: context.code,
          durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
          requestId: context.id,
          address: context.address,
          userId: context.userId,
          ...(!writableFinished && { aborted: true }),
        },
        "request",
      );
    };
    response.once("close", write);
    // A response behind others on a connection that is lost is never closed.
    request.once("close", () => {
      if (request.socket.destroyed) write();
    });
    next();
  };
}
