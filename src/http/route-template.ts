import { routes } from "./registry.ts";
import { clientModulePath } from "./routers/client-module.ts";
import { healthPaths } from "./routers/health.ts";
import { metricsPath } from "./routers/metrics.ts";
import { webRouteTemplate } from "./web-paths.ts";

const documents = ["/api", "/api/", "/api/openapi.json", "/api/asyncapi.json", "/api/websocket"];
const urls = routes.map(({ url }) => url);

const fixed: ReadonlySet<string> = new Set([
  ...urls.filter((url) => !url.includes("{")),
  ...healthPaths,
  metricsPath,
  ...documents,
  clientModulePath,
]);
const patterns = [...new Set(urls.filter((url) => url.includes("{")))].map((url) => ({
  url,
  pattern: new RegExp(`^${url.replace(/\{\w+\}/g, "[^/]+")}$`),
}));

/**
 * The route that a path belongs to, such as `/users/{id}`, for the log; "unknown" if there is none. Never the path itself,
 * which may contain anything, such as a token.
 */
export function routeTemplate(path: string): string {
  if (fixed.has(path)) return path;
  if (path.startsWith("/api/")) return "/api/{file}";
  return patterns.find(({ pattern }) => pattern.test(path))?.url ?? webRouteTemplate(path) ?? "unknown";
}
