import { Router } from "express";
import { AppError } from "../../errors.ts";
import { sendError } from "../error-handler.ts";

/** The paths of the two routes. */
export const healthPaths: ReadonlySet<string> = new Set(["/health/live", "/health/ready"]);

/**
 * Whether the server can handle requests, and the state of each part: "ok", or what is wrong in a word. Strangers read it:
 * hosts, ports and texts of other programs are in the log only.
 */
export interface Readiness {
  isReady: boolean;
  checks: Readonly<Record<string, string>>;
}

/** Liveness and readiness, for the supervisor of the process. No token required. */
export function healthRouter(findReadiness: () => Promise<Readiness>): Router {
  const router = Router();
  router.use((_request, response, next) => {
    response.set("Cache-Control", "no-store");
    next();
  });
  router.get("/live", (_request, response) => {
    response.json({ status: "live" });
  });
  router.get("/ready", async (_request, response) => {
    const { isReady, checks } = await findReadiness();
    if (isReady) {
      response.json({ status: "ready", checks });
      return;
    }
    const failed = Object.entries(checks).filter(([, state]) => state !== "ok");
    const error = new AppError("unavailable", `Not ready: ${failed.map((check) => check.join(": ")).join("; ")}`);
    sendError(response, error, { checks });
  });
  return router;
}
