import type { RequestListener } from "node:http";
import express from "express";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type AdmissionLimits, admissionControl } from "./admission-control.ts";
import { errorHandler } from "./error-handler.ts";
import { requestLog } from "./request-log.ts";
import { type MetricsAccess, metricsPath, metricsRouter } from "./routers/metrics.ts";

/** The metrics on a port of their own, which has no other route. */
export function createMetricsApp(
  options: MetricsAccess & { http: AdmissionLimits; asAppError: (error: unknown) => AppError; log: Logger },
): RequestListener {
  const { http: limits, asAppError, log } = options;
  const app = express();
  app.disable("x-powered-by").disable("etag").enable("case sensitive routing");
  app.use(metricsRouter(options));
  app.use(() => {
    throw new AppError("notFound", `This port has only ${metricsPath}`);
  });
  app.use(errorHandler(options));
  const admitted = admissionControl({ app, limits, asAppError });
  const logRequest = requestLog(log);
  return (request, response) => logRequest(request, response, () => admitted(request, response));
}
