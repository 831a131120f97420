/** What a browser may send as `Origin`, and a server as `Host`: no path, query, user or white space. */
const authority = /^[^\s/?#@\\]+$/;

/**
 * The spelling of an origin that browsers send: lower case, and without the default port of its scheme. What is no origin
 * of a web page, such as "null", is returned unchanged.
 */
export function canonicalOrigin(origin: string): string {
  const [, scheme = "", host = ""] = /^(https?):\/\/(.*)$/i.exec(origin) ?? [];
  const url = `${scheme}://${host}`;
  return authority.test(host) && URL.canParse(url) ? new URL(url).origin : origin;
}

/** Whether an origin is that of the page's own server, whose `Host` this is: with either, the default port may be given. */
export function isOriginOfHost(origin: string, host: string | undefined): boolean {
  const scheme = /^https?:/i.exec(origin)?.[0];
  if (scheme === undefined || host === undefined || !authority.test(host)) return false;
  const own = `${scheme}//${host}`;
  return URL.canParse(own) && URL.canParse(origin) && canonicalOrigin(origin) === new URL(own).origin;
}
