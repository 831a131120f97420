import { WebSocket } from "ws";

/** Number of sockets to open concurrently, few enough not to overload the server. */
const batchSize = 200;
/** Number of local loopback addresses: each has 28,000 ephemeral ports. */
const sourceAddressCount = 8;

/**
 * Opens a socket for each token, in order.
 * @throws Error when one is rejected
 */
export async function openSockets(url: string, tokens: readonly string[]): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  for (let first = 0; first < tokens.length; first += batchSize) {
    const batch = tokens.slice(first, first + batchSize);
    sockets.push(...(await Promise.all(batch.map((token, index) => openSocket(url, token, index)))));
  }
  return sockets;
}

/** Opens a socket. Sockets are spread over the loopback addresses by `index`. */
export function openSocket(url: string, token: string, index: number): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    localAddress: `127.0.0.${1 + (index % sourceAddressCount)}`,
    perMessageDeflate: false,
    // Saves CPU time of the load process; the servers are trusted.
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
