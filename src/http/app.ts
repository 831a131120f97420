import type { RequestListener } from "node:http";
import { promisify } from "node:util";
import cors from "cors";
import express, { type Request, type RequestHandler, type Response, Router } from "express";
import { FairQueue, type FairQueues } from "../concurrency/fair-queue.ts";
import { check } from "../contract/schema.ts";
import type { RateLimitName } from "../domain/rate-limit.ts";
import { AppError, withFieldIn } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { bearerToken } from "../services/accounts/tokens.ts";
import { networkOf, type RateLimits } from "../services/limits/rate-limits.ts";
import { type AdmissionLimits, type AssertCapacity, admissionControl } from "./admission-control.ts";
import { errorHandler, unknownRoute, wrongMethod } from "./error-handler.ts";
import { endWithResponse } from "./file-upload.ts";
import { routes } from "./registry.ts";
import { contextOf } from "./request-context.ts";
import { requestLog } from "./request-log.ts";
import type { AnyRoute, HttpServices } from "./route.ts";
import { clientModuleRouter } from "./routers/client-module.ts";
import { type Documents, docsRouter } from "./routers/docs.ts";
import { healthRouter, type Readiness } from "./routers/health.ts";
import { metricsRouter } from "./routers/metrics.ts";
import { webClientRouter } from "./routers/web-client.ts";

/** How long browsers may cache the response to a preflight request. */
const preflightMaxAgeSeconds = 600;

/** Largest body of a request, in bytes; and the largest picture. */
const maxBodyBytes = 16 * 1024;
const maxPictureBytes = 5 * 1024 * 1024;
/** How many pictures are received and converted at a time. */
const pictureConcurrency = 4;

export interface HttpOptions {
  services: HttpServices;
  documents: Documents;
  limits: RateLimits;
  /** Run the handlers of routes that require a token, so that no user can occupy the whole database. */
  fairQueues: FairQueues;
  http: AdmissionLimits;
  web: { enabled: boolean; serverName: string; publicUrl?: string | undefined };
  allowedOrigins: readonly string[];
  log: Logger;
  metrics?: Metrics | undefined;
  /** The bearer token for `/metrics`; undefined if that path does not exist here. */
  metricsToken?: string | undefined;
  trustedProxyHops: number;
  /** Whether the server can handle requests now, and what is missing if it cannot. */
  findReadiness: () => Promise<Readiness>;
  asAppError: (error: unknown) => AppError;
}

/** Creates the HTTP API: health, documents, the client SDK, the web client and the routes of the registry. */
export function createHttpApp(options: HttpOptions): RequestListener {
  const app = express();
  const allowOrigins = cors({
    origin: [...options.allowedOrigins],
    allowedHeaders: ["Authorization", "Content-Type"],
    exposedHeaders: ["Retry-After"],
    maxAge: preflightMaxAgeSeconds,
  });
  app.disable("x-powered-by").disable("etag");
  app.set("query parser", "simple").enable("case sensitive routing");
  app.use("/health", healthRouter(options.findReadiness));
  const { metrics, metricsToken: token } = options;
  if (metrics && token !== undefined) app.use(metricsRouter({ metrics, token }));
  const limit = limitPerAddress(options.limits, "documentsPerAddress");
  app.use("/api", docsRouter(options.documents, { ...options.web, limit }));
  app.use(clientModuleRouter(limit));
  app.use(webClientRouter(options.web));
  app.use(allowOrigins);
  app.use((_request, response, next) => {
    response.set("Cache-Control", "no-store");
    next();
  });
  app.use(documentedRoutes(options));
  app.use(adminPrefix, onlyForAdmins(options.services));
  app.use(unknownRoute);
  app.use(errorHandler(options));
  const admitted = admissionControl({
    app,
    limits: options.http,
    asAppError: options.asAppError,
    assertCapacity: capacityChecks(options.services),
    allowOrigins,
  });
  const logRequest = requestLog(options.log, options);
  return (request, response) => logRequest(request, response, () => admitted(request, response));
}

/** Rejects requests of an address over a limit. */
const limitPerAddress =
  (limits: RateLimits, name: Extract<RateLimitName, `${string}PerAddress`>): RequestHandler =>
  async (request, _response, next) => {
    await limits.consume(name, networkOf(contextOf(request).address));
    next();
  };

/** The capacity checks of the routes that have one, by method and path. */
function capacityChecks(services: HttpServices): ReadonlyMap<string, AssertCapacity> {
  const checks = new Map<string, AssertCapacity>();
  for (const { method, url, assertCapacity } of routes) {
    if (!assertCapacity) continue;
    checks.set(`${method.toUpperCase()} ${url}`, (address, queuedAhead) => {
      assertCapacity(services, address, queuedAhead);
    });
  }
  return checks;
}

function documentedRoutes(options: HttpOptions): Router {
  // Paths match exactly: admission control knows them by the same spelling.
  const router = Router({ caseSensitive: true, strict: true });
  const readers: Readers = {
    json: promisify(express.json({ limit: maxBodyBytes })),
    picture: promisify(express.raw({ limit: maxPictureBytes, type: () => true })),
    pictures: new FairQueue(pictureConcurrency),
  };
  const methodsByUrl = new Map<string, string[]>();
  for (const route of routes) {
    router[route.method](expressPath(route.url), handler(route, readers, options));
    methodsByUrl.set(route.url, [...(methodsByUrl.get(route.url) ?? []), route.method]);
  }
  for (const [url, methods] of methodsByUrl) {
    const guards = isAdminPath(url) ? [onlyForAdmins(options.services)] : [];
    router.all(expressPath(url), ...guards, wrongMethod(methods));
  }
  return router;
}

/** The routes of administrators begin with it. */
const adminPrefix = "/admin";
const isAdminPath = (url: string): boolean => url.startsWith(`${adminPrefix}/`);

/** Rejects everybody but administrators, so that others cannot tell which paths exist. */
const onlyForAdmins =
  ({ sessions, accounts }: HttpServices): RequestHandler =>
  async (request, _response, next) => {
    const { userId } = await sessions.authenticate(bearerToken(request.get("authorization")));
    contextOf(request).userId = userId;
    await accounts.requireAdmin(userId);
    next();
  };

const expressPath = (url: string): string => url.replace(/\{(\w+)\}/g, ":$1");

type ReadBody = (request: Request, response: Response) => Promise<unknown>;

interface Readers {
  json: ReadBody;
  picture: ReadBody;
  /** Limits the pictures in memory. */
  pictures: FairQueue;
}

/** Adds to the invalid field of an error which part of the request has it. */
function withFieldOf(parts: Readonly<Record<string, object | undefined>>, error: AppError): AppError {
  const [part] = Object.entries(parts).find(([, values]) => values && Object.hasOwn(values, error.field ?? "")) ?? [];
  return part === undefined ? error : withFieldIn(part, error);
}

const isRead = ({ method, readOnly }: AnyRoute): boolean => method === "get" || readOnly === true;

/** Whether users may call a route who have to confirm their e-mail address first: it reads, or changes their own account. */
const isOpenToUnverified = (route: AnyRoute): boolean =>
  isRead(route) || route.url.startsWith("/auth/") || route.url.startsWith("/users/me");

/** Of pictures, which pages of every origin may show. */
const pictureHeaders = {
  "Content-Type": "image/webp",
  "Cache-Control": "public, max-age=31536000, immutable",
  "Cross-Origin-Resource-Policy": "cross-origin",
};

/** The queue that runs the handlers of a route; undefined if the service queues what it does. */
function queueOf(route: AnyRoute, { reads, changes }: FairQueues): FairQueue | undefined {
  if (route.checksPassword || route.streams) return undefined;
  return isRead(route) ? reads : changes;
}

/** Authenticates, applies the rate limit, reads and validates the request, and handles it, in this order. */
const handler =
  (
    route: AnyRoute,
    { json, picture, pictures }: Readers,
    { services, limits, fairQueues }: HttpOptions,
  ): RequestHandler =>
  async (request, response) => {
    if (route.streams === "request") endWithResponse(request, response);
    const identity = route.public
      ? undefined
      : await services.sessions.authenticate(bearerToken(request.get("authorization")));
    const context = contextOf(request);
    context.userId = identity?.userId;
    const address = networkOf(context.address);
    if (identity) await limits.consume("requestsPerUser", identity.userId);
    else if (route.limit) await limits.consume(route.limit, address);
    if (identity?.isUnverified && !isOpenToUnverified(route)) {
      await services.verification.requireVerified(identity.userId);
    }
    if (identity && route.requiresAdmin) await services.accounts.requireAdmin(identity.userId);
    if (!route.takesPicture && !route.streams) await json(request, response);
    const parts = {
      path: route.path && check(route.path, request.params, { label: "path", convert: true }),
      query: route.query && check(route.query, request.query, { label: "query", convert: true }),
      body: route.body && check(route.body, request.body, { label: "body" }),
    };
    const device = { userAgent: request.get("user-agent"), address };
    const handle = async () => {
      if (route.takesPicture) await picture(request, response);
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      return route.handle({ ...parts, picture: bytes, identity, device, services, request, response });
    };
    const queue = route.takesPicture ? pictures : queueOf(route, fairQueues);
    const answer = await (identity && queue ? queue.run(identity.userId, handle) : handle()).catch((error) => {
      throw error instanceof AppError ? withFieldOf(parts, error) : error;
    });
    context.userId ??= route.userIdOf?.(answer);
    if (route.streams === "response") return;
    response.status(route.accepts?.applies(parts.query) ? route.accepts.status : route.status);
    if (route.givesPicture) response.set(pictureHeaders).end(answer);
    else if (route.answer) response.json(answer);
    else response.end();
  };
