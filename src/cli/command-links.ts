import type { Config } from "../config/settings.ts";
import { type MakePageLink, pageLinks } from "../services/page-links.ts";

/** Makes links to the server that has these settings. */
export function commandLinks({ server, web, http }: Config): MakePageLink {
  const isProduction = server.environment === "production";
  return pageLinks({ publicUrl: web.publicUrl, isProduction, host: http.host, port: http.port });
}
