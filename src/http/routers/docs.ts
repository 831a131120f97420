import { Router } from "express";
import helmet from "helmet";
import swaggerUi from "swagger-ui-express";

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

/** `/api`: Swagger UI with local assets, the page about the WebSocket API, and the OpenAPI and AsyncAPI documents. */
export function docsRouter({ openApi, asyncApi, webSocketPage }: Documents): Router {
  const router = Router();
  router.get("/openapi.json", (_request, response) => {
    response.json(openApi);
  });
  router.get("/asyncapi.json", (_request, response) => {
    response.json(asyncApi);
  });
  router.use(pagePolicy);
  router.get("/websocket", (_request, response) => {
    response.type("html").send(webSocketPage);
  });
  router.use(swaggerUi.serve);
  router.get("/", swaggerUi.setup(openApi, { customSiteTitle: "Messenger API" }));
  return router;
}
