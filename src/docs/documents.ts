import { routes } from "../http/registry.ts";
import type { Documents } from "../http/routers/docs.ts";
import { registry } from "../ws/registry.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { openApiDocument } from "./openapi.ts";
import { webSocketPage } from "./websocket-page.ts";

/** Generates the documents of all routes and message types, each when it is asked for. */
export function generateDocuments(version: string): Documents {
  const messageTypes = [...registry.values()];
  return {
    openApi: () => openApiDocument(routes, version),
    asyncApi: () => asyncApiDocument(messageTypes, version),
    webSocketPage: (address) => webSocketPage(messageTypes)(address),
  };
}
