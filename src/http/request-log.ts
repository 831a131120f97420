import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import { pinoHttp } from "pino-http";
import type { Logger } from "../logger.ts";

/** 503 is deliberate load shedding: warnings would flood the log. */
const isFault = (status: number): boolean => status >= 500 && status !== 503;

/** Assigns the request id and logs one line per request: method, path, status, time. No query, headers or address. */
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
    customLogLevel: (_request, response) => (isFault(response.statusCode) ? "warn" : "debug"),
    customAttributeKeys: { reqId: "requestId" },
  });
