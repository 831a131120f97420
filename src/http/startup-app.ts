import type { RequestListener } from "node:http";
import express from "express";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type AdmissionLimits, admissionControl } from "./admission-control.ts";
import { errorHandler } from "./error-handler.ts";
import { requestLog } from "./request-log.ts";
import { healthRouter, type Readiness } from "./routers/health.ts";

/** Handles requests until the database is open: live but not ready, 503 for everything else. */
export function createStartupApp(options: {
  http: AdmissionLimits & { trustedProxyHops: number };
  log: Logger;
  /** The state of the parts that are being started. */
  findReadiness: () => Promise<Readiness>;
  asAppError: (error: unknown) => AppError;
}): RequestListener {
  const app = express();
  app.disable("x-powered-by").disable("etag");
  app.use("/health", healthRouter(options.findReadiness));
  app.use(() => {
    throw new AppError("unavailable", "The server is starting. Try again.", { retryAfterMs: 1000 });
  });
  app.use(errorHandler(options));
  const admitted = admissionControl({ app, limits: options.http, asAppError: options.asAppError });
  const logRequest = requestLog(options.log, options.http);
  return (request, response) => logRequest(request, response, () => admitted(request, response));
}
