import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Headers that speak of this one connection, and of what it could become. */
const ofTheUpgrade = new Set(["connection", "upgrade", "http2-settings"]);

export const asksForWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === "websocket";

/**
 * A connection whose request offered to go on in another protocol, such as h2c by `curl --http2`, as if it had not: a
 * server may ignore such an offer, but Node gives a server that listens for WebSockets every one of them. The request
 * is put back in front of what came after it, to be read anew.
 */
export function withoutUpgrade({ method, url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer): Duplex {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    if (!ofTheUpgrade.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  return socket;
}
