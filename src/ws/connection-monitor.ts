import type { Connection } from "./connection.ts";

type Swept = Pick<Connection, "isOpen" | "unsentBytes" | "giveUp" | "tick">;

const everyMs = 1000;

/**
 * Looks at every connection once a second, which costs less than timers for each: a token that has run out ends its
 * connection, and where what waits for slow clients is too much in all, be it pushes or answers, the slowest are given
 * up first. Each socket has its own bound beside this one, see `Connection.tick`.
 * @param options.mostBytes waiting on all sockets together
 * @returns what stops it
 */
export function startConnectionMonitor(connections: Iterable<Swept>, options: { mostBytes: number }): () => void {
  const round = setInterval(() => {
    const now = Date.now();
    const waiting: Swept[] = [];
    let bytes = 0;
    for (const connection of connections) {
      connection.tick(now);
      if (!connection.isOpen || connection.unsentBytes === 0) continue;
      waiting.push(connection);
      bytes += connection.unsentBytes;
    }
    if (bytes <= options.mostBytes) return;
    for (const connection of waiting.sort((a, b) => b.unsentBytes - a.unsentBytes)) {
      bytes -= connection.unsentBytes;
      connection.giveUp();
      if (bytes <= options.mostBytes) return;
    }
  }, everyMs).unref();
  return () => clearInterval(round);
}
