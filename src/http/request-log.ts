import type { IncomingMessage, ServerResponse } from "node:http";
import { LogQuota } from "../concurrency/log-quota.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { clientAddress, plainAddress } from "../services/limits/client-address.ts";
import { normalizePath } from "./normal-path.ts";
import { startContext } from "./request-context.ts";
import { routeTemplate } from "./route-template.ts";
import { healthPaths } from "./routers/health.ts";
import { metricsPath } from "./routers/metrics.ts";
import { isWebFile } from "./web-paths.ts";

/** The route whose outcomes are counted. */
const logInRoute = "/auth/login";

/** Statuses of requests that are refused because there are too many of them. */
const refusedStatuses: ReadonlySet<number> = new Set([429, 503]);
/** Lines about such requests within the window, in milliseconds, from one address and from all. Others are counted. */
const maxLinesPerAddress = 10;
const maxLines = 100;
const windowMs = 10_000;

/**
 * Gives each request its id and logs one line when it ends: route, method, status, duration, request id, address, and the
 * user and error code if there is one. Never the path, query, headers or body. Health checks and reads of the metrics, of
 * which there may be one a second, and the files of the web client, of which a page needs several, are logged at debug. Of many
 * requests that are refused, the first ones are logged, then how many followed. The metrics count all of them.
 */
export function requestLog(
  log: Logger,
  { trustedProxyHops = 0, metrics }: { trustedProxyHops?: number; metrics?: HttpMetrics | undefined } = {},
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  const refused = new RefusedRequests(log);
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
      const elapsedMs = performance.now() - startedAt;
      if (metrics) {
        const status = headersSent ? String(statusCode) : "aborted";
        record(metrics, {
          route: routeTemplate(path),
          method: request.method,
          status,
          code: context.code,
          seconds: elapsedMs / 1000,
        });
      }
      if (refusedStatuses.has(statusCode) && !healthPaths.has(path) && !refused.take(context.address)) return;
      const isProbe = healthPaths.has(path) || path === metricsPath;
      const isQuietProbe = isProbe && !(statusCode >= 400 && statusCode < 500);
      const isSentFile = isWebFile(path) && statusCode < 400;
      log[isQuietProbe || isSentFile ? "debug" : "info"](
        {
          route: routeTemplate(path),
          method: request.method,
          ...(headersSent && { status: statusCode }),
          code: context.code,
          durationMs: Math.round(elapsedMs * 10) / 10,
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

type HttpMetrics = Pick<Metrics, "httpRequests" | "httpRequestSeconds" | "logIns">;

function record(
  { httpRequests, httpRequestSeconds, logIns }: HttpMetrics,
  request: { route: string; method: string | undefined; status: string; code: string | undefined; seconds: number },
): void {
  const { route, method, status, code, seconds } = request;
  httpRequests.add(route, status);
  httpRequestSeconds.observe(route, seconds);
  if (route === logInRoute && method === "POST") logIns.add(code ?? (status === "200" ? "ok" : status));
}

/** Decides which refused requests get a line of their own. */
class RefusedRequests {
  private readonly ofAddress: LogQuota<string>;
  private readonly ofAll: LogQuota<undefined>;

  constructor(log: Logger) {
    const message = "further requests refused";
    this.ofAddress = new LogQuota({
      maxLines: maxLinesPerAddress,
      windowMs,
      onSuppressed: (address, suppressed) => {
        if (this.ofAll.take(undefined)) log.info({ address, suppressed }, message);
      },
    });
    this.ofAll = new LogQuota({
      maxLines,
      windowMs,
      onSuppressed: (_all, suppressed) => log.info({ suppressed }, message),
    });
  }

  take(address: string): boolean {
    return this.ofAddress.take(address) && this.ofAll.take(undefined);
  }
}
