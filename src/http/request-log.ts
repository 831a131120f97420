import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import { pinoHttp } from "pino-http";
import type { Logger } from "../logger.ts";

/** "Try again" (503) is what the server says on purpose; in a flood a line for each would be a flood of its own. */
const isFault = (status: number): boolean => status >= 500 && status !== 503;

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
    customLogLevel: (_request, response) => (isFault(response.statusCode) ? "warn" : "debug"),
    customAttributeKeys: { reqId: "requestId" },
  });
