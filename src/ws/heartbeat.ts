import type { Connection } from "./connection.ts";

/** Both in milliseconds. A dead link is detected within their sum. */
export interface HeartbeatTimes {
  pingEveryMs: number;
  /** Shorter than `pingEveryMs`. */
  pongWithinMs: number;
}

/**
 * Pings every socket and terminates those that do not answer. This detects links that died without a FIN (lost network,
 * closed laptop) and keeps proxies from closing idle sockets.
 * @returns a function that stops the heartbeat
 */
export function startHeartbeat(
  connections: Iterable<Pick<Connection, "alive" | "socket">>,
  { pingEveryMs, pongWithinMs }: HeartbeatTimes,
): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    const pinged = [...connections];
    for (const connection of pinged) {
      connection.alive = false;
      connection.socket.ping();
    }
    deadline = setTimeout(() => {
      // The pong of a paused socket cannot be seen. The socket is resumed when its requests are answered, which the
      // database timeouts guarantee, or it is closed because its replies are stuck (see `SocketWriter.tick`).
      for (const { alive, socket } of pinged) if (!alive && !socket.isPaused) socket.terminate();
    }, pongWithinMs).unref();
  }, pingEveryMs).unref();
  return () => {
    clearInterval(timer);
    clearTimeout(deadline);
  };
}
