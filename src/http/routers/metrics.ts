import { createHash, timingSafeEqual } from "node:crypto";
import { type Request, type Response, Router } from "express";
import { AppError } from "../../errors.ts";
import type { Metrics } from "../../metrics/metrics.ts";
import { bearerToken } from "../../services/accounts/tokens.ts";
import { wrongMethod } from "../error-handler.ts";

export const metricsPath = "/metrics";

export interface MetricsAccess {
  metrics: Pick<Metrics, "text" | "contentType">;
  /** Asked for as bearer token; undefined: every client that reaches the port may read the metrics. */
  token: string | undefined;
}

/** `GET /metrics`. */
export function metricsRouter(access: MetricsAccess): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get(metricsPath, (request, response) => sendMetrics(request, response, access));
  router.all(metricsPath, wrongMethod(["get", "head"]));
  return router;
}

async function sendMetrics(request: Request, response: Response, { metrics, token }: MetricsAccess): Promise<void> {
  response.set("Cache-Control", "no-store");
  if (token !== undefined && !isEqual(bearerToken(request.get("authorization")) ?? "", token)) {
    throw new AppError("unauthenticated", "The metrics require METRICS_TOKEN as bearer token");
  }
  response.set("Content-Type", metrics.contentType).send(await metrics.text());
}

/** Compares digests in constant time, so that the time of the answer says nothing about the token. */
const isEqual = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected));

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
