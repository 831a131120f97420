import type { Connection } from "./connection.ts";

/** Both in milliseconds; a dead link is noticed within their sum. */
export interface HeartbeatTimes {
  pingEveryMs: number;
  /** Shorter than `pingEveryMs`. */
  pongWithinMs: number;
}

/**
 * Pings every socket and cuts off the ones that do not answer: a link that died without a word (a lost network, a
 * closed lid) is noticed, and proxies do not take a quiet socket for an abandoned one.
 * @returns what stops it
 */
export function startHeartbeat(
  connections: Iterable<Pick<Connection, "alive" | "socket">>,
  { pingEveryMs, pongWithinMs }: HeartbeatTimes,
): () => void {
  let verdict: NodeJS.Timeout | undefined;
  const round = setInterval(() => {
    const asked = [...connections];
    for (const connection of asked) {
      connection.alive = false;
      connection.socket.ping();
    }
    verdict = setTimeout(() => {
      // A socket that is not read cannot show its pong. It is read again when its requests are answered, which the
      // database's timeouts see to, or given up when the answers get stuck (see `Outbox`).
      for (const { alive, socket } of asked) if (!alive && !socket.isPaused) socket.terminate();
    }, pongWithinMs).unref();
  }, pingEveryMs).unref();
  return () => {
    clearInterval(round);
    clearTimeout(verdict);
  };
}
