import { readFile } from "node:fs/promises";
import { type Request, Router } from "express";
import helmet from "helmet";
import swaggerUi from "swagger-ui-express";
import { strictPagePolicy } from "../page-policy.ts";
import { compressedFile, readOnce, sendStaticFile } from "../static-file.ts";

/** The generated documents, made once at start. */
export interface Documents {
  openApi: object;
  asyncApi: object;
  /** HTML page about the WebSocket API, for a server whose WebSocket has this address. */
  webSocketPage: (address: string) => string;
}

/** Where `npm run build` writes `packages/console`, seen from the source and from its build alike. */
const consoleFolder = new URL("../../../dist/console/", import.meta.url);

const consoleFiles = [
  { name: "console.js", contentType: "text/javascript; charset=utf-8" },
  { name: "console.css", contentType: "text/css; charset=utf-8" },
  { name: "icon.svg", contentType: "image/svg+xml" },
];

/** Swagger UI sets inline styles from its script; everything else is served from this origin. */
const swaggerPolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", "data:"],
    objectSrc: ["'none'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
});

/**
 * `/api`: Swagger UI with local assets, the page about the WebSocket API with its console, and the OpenAPI and AsyncAPI
 * documents.
 */
export function docsRouter(
  { openApi, asyncApi, webSocketPage }: Documents,
  { publicUrl }: { publicUrl?: string | undefined },
): Router {
  const router = Router();
  router.get("/openapi.json", (_request, response) => {
    response.json(openApi);
  });
  router.get("/asyncapi.json", (_request, response) => {
    response.json(asyncApi);
  });
  router.get("/websocket", strictPagePolicy, (request, response) => {
    const origin = publicUrl ?? ownOrigin(request);
    response
      .type("html")
      .set("Cache-Control", "no-cache")
      .send(webSocketPage(origin.replace(/^http/, "ws")));
  });
  for (const { name, contentType } of consoleFiles) {
    const read = readOnce(async () => compressedFile(contentType, await readFile(new URL(name, consoleFolder))));
    router.get(`/${name}`, async (request, response) => {
      sendStaticFile(request, response, await read(), "no-cache");
    });
  }
  router.use(swaggerPolicy, swaggerUi.serve);
  router.get("/", swaggerUi.setup(openApi, { customSiteTitle: "Messenger API", customfavIcon: "./icon.svg" }));
  return router;
}

/** The origin that the client has called; behind a proxy with TLS, only the script of the page knows it. */
const ownOrigin = ({ headers: { host = "" } }: Request): string =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).origin : "http://HOST";
