import type { RequestListener } from "node:http";
import express, { type Response } from "express";
import { errorCodes } from "../contract/error-codes.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type AdmissionLimits, admissionControl } from "./admission-control.ts";
import { asksForHtml } from "./asks-for-html.ts";
import { errorHandler } from "./error-handler.ts";
import { contextOf } from "./request-context.ts";
import { requestLog } from "./request-log.ts";
import { healthRouter, type Readiness } from "./routers/health.ts";

/** Handles requests until the database is open: live but not ready, 503 for everything else. */
export function createStartupApp(options: {
  http: AdmissionLimits & { trustedProxyHops: number };
  log: Logger;
  metrics?: Metrics | undefined;
  /** The state of the parts that are being started. */
  findReadiness: () => Promise<Readiness>;
  asAppError: (error: unknown) => AppError;
}): RequestListener {
  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.use("/health", healthRouter(options.findReadiness));
  app.use((request, response, next) => {
    if (request.method === "GET" && asksForHtml(request)) sendStartingPage(response);
    else next();
  });
  app.use(() => {
    throw new AppError("unavailable", "The server is starting. Try again.", { retryAfterMs: 1000 });
  });
  app.use(errorHandler(options));
  const admitted = admissionControl({ app, limits: options.http, asAppError: options.asAppError });
  const logRequest = requestLog(options.log, { ...options.http, metrics: options.metrics });
  return (request, response) => logRequest(request, response, () => admitted(request, response));
}

const startingPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2">
<title>Starting…</title>
<p>The server is starting. This page reloads by itself.</p>
</html>
`;

/** For people who open the address before the server is ready. */
function sendStartingPage(response: Response): void {
  contextOf(response.req).code = errorCodes.unavailable;
  response
    .status(503)
    .set({ "Retry-After": "2", "Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'" })
    .type("html")
    .send(startingPage);
}
