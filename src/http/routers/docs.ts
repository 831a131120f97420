import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Request, type RequestHandler, Router } from "express";
import helmet from "helmet";
import { strictPagePolicy } from "../page-policy.ts";
import { compressedFile, readOnce, type StaticFile, sendStaticFile, staticFile } from "../static-file.ts";
import { TemplatePage } from "../template-page.ts";

/** Generates the documents. */
export interface Documents {
  openApi(): object;
  asyncApi(): object;
  /** HTML page about the WebSocket API, for a server whose WebSocket has this address. */
  webSocketPage(address: string): string;
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

const script = "text/javascript; charset=utf-8";
const html = "text/html; charset=utf-8";
const json = "application/json; charset=utf-8";

/** The parts of Swagger UI that its page loads, and their types. */
const swaggerFiles = {
  "swagger-ui-bundle.js": script,
  "swagger-ui-standalone-preset.js": script,
  "swagger-ui.css": "text/css; charset=utf-8",
};

/** Starts Swagger UI in its page. */
const swaggerInit = `window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
    layout: "StandaloneLayout",
  });
};
`;

/** The folder of `swagger-ui-dist`, on which `swagger-ui-express` depends. */
function findSwaggerFolder(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("swagger-ui-express"));
  return dirname(require.resolve("swagger-ui-dist/package.json"));
}

/** Stands for the address of the WebSocket while its page is made. */
const addressMark = "ws://address.invalid";

/**
 * `/api`: Swagger UI with local assets, the page about the WebSocket API with its console, and the OpenAPI and AsyncAPI
 * documents. Each is made at its first request, and in memory once, for all responses.
 * @param options.limit rejects requests of an address over its limit
 */
export function docsRouter(
  { openApi, asyncApi, webSocketPage }: Documents,
  { publicUrl, limit }: { publicUrl?: string | undefined; limit: RequestHandler },
): Router {
  const router = Router();
  const serve = (path: string, make: () => Promise<StaticFile>) => {
    const read = readOnce(make);
    router.get(path, limit, async (request, response) => {
      sendStaticFile(request, response, await read(), "no-cache");
    });
  };
  const serveText = (path: string, type: string, make: () => string | Promise<string>) =>
    serve(path, async () => staticFile(type, { identity: Buffer.from(await make()) }));
  serveText("/openapi.json", json, () => JSON.stringify(openApi()));
  serveText("/asyncapi.json", json, () => JSON.stringify(asyncApi()));
  const readPage = readOnce(async () => new TemplatePage(webSocketPage(addressMark), addressMark));
  router.get("/websocket", limit, strictPagePolicy, async (request, response) => {
    const page = await readPage();
    page.send(request, response, (publicUrl ?? ownOrigin(request)).replace(/^http/, "ws"));
  });
  for (const { name, contentType } of consoleFiles) {
    serve(`/${name}`, async () => compressedFile(contentType, await readFile(new URL(name, consoleFolder))));
  }
  router.use(swaggerPolicy);
  const swaggerFolder = findSwaggerFolder();
  for (const [name, type] of Object.entries(swaggerFiles)) {
    serve(`/${name}`, async () => staticFile(type, { identity: await readFile(join(swaggerFolder, name)) }));
  }
  serveText("/swagger-ui-init.js", script, () => swaggerInit);
  router.get("/", (request, response, next) => {
    // The links of the page are relative.
    if (request.originalUrl.split("?")[0]?.endsWith("/")) next();
    else response.redirect(301, `${request.baseUrl}/`);
  });
  const swaggerPage = { customSiteTitle: "Messenger API", customfavIcon: "./icon.svg" };
  serveText("/", html, async () => {
    // Loaded when it is needed, to start faster.
    const { default: swaggerUi } = await import("swagger-ui-express");
    return swaggerUi.generateHTML(openApi(), swaggerPage);
  });
  return router;
}

/** The origin that the client has called; behind a proxy with TLS, only the script of the page knows it. */
const ownOrigin = ({ headers: { host = "" } }: Request): string =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).origin : "http://HOST";
