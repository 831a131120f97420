import { Router } from "express";
import { AppError } from "../../errors.ts";

/** The paths of the two routes. */
export const healthPaths: ReadonlySet<string> = new Set(["/health/live", "/health/ready"]);

/** Liveness and readiness, for the supervisor of the process. No token required. */
export function healthRouter(isReady: () => Promise<boolean>): Router {
  const router = Router();
  router.use((_request, response, next) => {
    response.set("Cache-Control", "no-store");
    next();
  });
  router.get("/live", (_request, response) => {
    response.json({ status: "live" });
  });
  router.get("/ready", async (_request, response) => {
    if (!(await isReady()))
      throw new AppError(
        "unavailable",
        "Not ready: the server is starting or stopping, or the database is unavailable",
      );
    response.json({ status: "ready" });
  });
  return router;
}
