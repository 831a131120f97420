import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Headers of the upgrade, which are removed. */
const upgradeHeaders = new Set(["connection", "upgrade", "http2-settings"]);

export const isWebSocketUpgrade = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === "websocket";

/**
 * Turns a request to upgrade to another protocol, such as h2c by `curl --http2`, into a plain request. A server may
 * ignore such an offer, but Node passes every upgrade to a server that accepts WebSockets. The request is pushed back
 * onto the connection without the upgrade headers, to be parsed again.
 */
export function withoutUpgrade({ method, url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer): Duplex {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!upgradeHeaders.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  return socket;
}
