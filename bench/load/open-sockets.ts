import { WebSocket } from "ws";

/** So many at a time, unless told otherwise: a crowd, not a flood. */
const atOnce = 200;
/** Loopback addresses to come from: each has 28,000 ports of its own. */
const sources = 8;

/**
 * Opens a socket for each token, in their order.
 * @throws Error when one is refused
 */
export async function openSockets(url: string, tokens: readonly string[]): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let first = 0; first < tokens.length; first += atOnce) {
    const some = tokens.slice(first, first + atOnce);
    sockets.push(...(await Promise.all(some.map((token, index) => openSocket(url, token, index)))));
  }
  return sockets;
}

/** Opens a socket; the `index` spreads many over the loopback addresses. */
export function openSocket(url: string, token: string, index: number): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    localAddress: `127.0.0.${1 + (index % sources)}`,
    perMessageDeflate: false,
    // Servers are trusted here, and checking every frame would be work of the load.
    skipUTF8Validation: true,
  });
  return new Promise((resolve, reject) => {
    socket.once("open", () => {
      socket.off("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
    socket.once("error", reject);
  });
}
