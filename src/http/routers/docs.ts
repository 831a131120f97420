import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type RequestHandler, Router } from "express";
import helmet from "helmet";
import swaggerUi from "swagger-ui-express";
import { type StaticBody, sendStatic, staticBody } from "../static-body.ts";

/** The generated documents, made once at start. */
export interface Documents {
  openApi: object;
  asyncApi: object;
  /** HTML page about the WebSocket API. */
  webSocketPage: string;
}

/** Swagger UI sets inline styles from its script; everything else is served from this origin. */
const pagePolicy = helmet.contentSecurityPolicy({
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
  "favicon-16x16.png": "image/png",
  "favicon-32x32.png": "image/png",
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

/** The files of `swagger-ui-dist`, on which `swagger-ui-express` depends. */
function readSwaggerFiles(): [name: string, file: StaticBody][] {
  const require = createRequire(createRequire(import.meta.url).resolve("swagger-ui-express"));
  const folder = dirname(require.resolve("swagger-ui-dist/package.json"));
  return Object.entries(swaggerFiles).map(([name, type]) => [name, staticBody(type, readFileSync(join(folder, name)))]);
}

/**
 * `/api`: Swagger UI with local assets, the page about the WebSocket API, and the OpenAPI and AsyncAPI documents. All are
 * read once, at start.
 */
export function docsRouter({ openApi, asyncApi, webSocketPage }: Documents, limit: RequestHandler): Router {
  const router = Router();
  const serve = (path: string, file: StaticBody) => router.get(path, limit, sendStatic(file));
  serve("/openapi.json", staticBody(json, JSON.stringify(openApi)));
  serve("/asyncapi.json", staticBody(json, JSON.stringify(asyncApi)));
  router.use(pagePolicy);
  serve("/websocket", staticBody(html, webSocketPage));
  for (const [name, file] of readSwaggerFiles()) serve(`/${name}`, file);
  serve("/swagger-ui-init.js", staticBody(script, swaggerInit));
  router.get("/", (request, response, next) => {
    // The links of the page are relative.
    if (request.originalUrl.split("?")[0]?.endsWith("/")) next();
    else response.redirect(301, `${request.baseUrl}/`);
  });
  serve("/", staticBody(html, swaggerUi.generateHTML(openApi, { customSiteTitle: "Messenger API" })));
  return router;
}
