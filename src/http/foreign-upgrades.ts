import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Headers of the upgrade, which are removed; their names are removed from `Connection`. */
const upgradeHeaders = new Set(["upgrade", "http2-settings"]);

export const isWebSocketUpgrade = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === "websocket";

/**
 * Turns a request to upgrade to another protocol, such as h2c by `curl --http2`, into a plain request. A server may
 * ignore such an offer, but Node passes every upgrade to a server that accepts WebSockets. The request is pushed back
 * onto the connection without the upgrade headers, to be parsed again.
 */
export function withoutUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Duplex {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    const key = name.toLowerCase();
    if (upgradeHeaders.has(key)) continue;
    const kept = key === "connection" ? withoutUpgradeOptions(value) : value;
    if (key !== "connection" || kept) lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  return socket;
}

const withoutUpgradeOptions = (connection: string): string =>
  connection
    .split(",")
    .map((option) => option.trim())
    .filter((option) => !upgradeHeaders.has(option.toLowerCase()))
    .join(", ");

/**
 * Calls `next` once the responses to the requests before an upgrade are complete, unless the connection is closed with
 * them. Node emits "upgrade" while they are in progress, and no longer handles the events of the connection. Meanwhile
 * nothing is read from it.
 * @param responses the requests in progress, in their order; the caller removes those that are complete
 */
export function afterResponses(socket: Duplex, responses: ReadonlySet<ServerResponse>, next: () => void): void {
  if (responses.size === 0) {
    next();
    return;
  }
  const onError = () => socket.destroy();
  // A response that is piped waits for it.
  const onDrain = () => {
    const [first] = responses;
    first?.emit("drain");
  };
  // While there is such a listener, `resume` by the request before does not discard what arrives.
  const onReadable = () => {};
  socket.on("error", onError).on("drain", onDrain).on("readable", onReadable);
  const check = () => {
    if (responses.size > 0) return;
    if (socket.destroyed || !socket.writable) return;
    socket.off("error", onError).off("drain", onDrain).off("readable", onReadable);
    next();
  };
  for (const response of responses) response.once("close", check);
}
