import { Router } from "express";
import helmet from "helmet";
import swaggerUi from "swagger-ui-express";

/** The documents, made once at start. */
export interface Documents {
  openApi: object;
  asyncApi: object;
  /** The page for people about the WebSocket. */
  webSocketPage: string;
}

/** Swagger's page sets styles from its script; everything else comes from here. */
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

/** `/api`: Swagger UI with local assets, the page about the WebSocket, and both as documents for programs. */
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
