import { Router } from "express";
import { AppError } from "../../errors.ts";

/** The addresses of these two, as they are written. */
export const healthPaths: ReadonlySet<string> = new Set(["/health/live", "/health/ready"]);

/** For whoever starts, watches and stops the process. Neither needs a token. */
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
    if (!(await isReady())) throw new AppError("unavailable", "Not ready: starting, stopping, or without a database");
    response.json({ status: "ready" });
  });
  return router;
}
