import type { IncomingMessage } from "node:http";

/**
 * Rewrites the URL of a request in its normal form and returns the path. The limits, the log and the router must see the
 * same path: otherwise another spelling of it would bypass the limits.
 */
export function normalizePath(request: IncomingMessage): string {
  const { url = "" } = request;
  const base = "http://localhost";
  const absolute = url.startsWith("/") ? `${base}${url}` : url;
  const { pathname, search } = new URL(URL.canParse(absolute, base) ? absolute : base, base);
  request.url = `${pathname}${search}`;
  return pathname;
}
