import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import { pinoHttp } from "pino-http";
import type { Logger } from "../logger.ts";

/** One line a request: what, how it went and how long it took; no query, no headers, no address. Gives it its id. */
export const requestLog = (log: Logger): RequestHandler =>
  pinoHttp({
    logger: log,
    genReqId: () => randomUUID(),
    quietReqLogger: true,
    serializers: {
      req: ({ method, url }) => ({ method, path: String(url).split("?")[0] }),
      res: ({ statusCode }) => ({ status: statusCode }),
      err: () => undefined,
    },
    customLogLevel: (_request, response) => (response.statusCode >= 500 ? "warn" : "debug"),
    customAttributeKeys: { reqId: "requestId" },
  });
