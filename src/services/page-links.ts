/** Pages that links with a token lead to. The server has them also without the web client. */
export const linkedPages = ["setup", "invite", "reset", "verify"] as const;
export type LinkedPage = (typeof linkedPages)[number];

/** Makes a link to a page, with a token behind "#", which browsers send to no server. */
export type MakePageLink = (page: LinkedPage, token: string) => string;

/**
 * Makes links from PUBLIC_URL, never from a header of a request. Without it: the address on which the server listens in
 * development, and the path alone in production.
 * @param port the port on which the server listens
 */
export function pageLinks(
  settings: {
    server: { environment: string };
    web: { publicUrl?: string | undefined };
    http: { host: string };
  },
  port: number,
): MakePageLink {
  const { publicUrl } = settings.web;
  const { host } = settings.http;
  const isProduction = settings.server.environment === "production";
  const hostInLinks = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const base = publicUrl ?? (isProduction ? "" : `http://${hostInLinks}:${port}`);
  return (page, token) => `${base}/${page}#${token}`;
}
