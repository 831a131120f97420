import type { Connection } from "./connection.ts";

type MonitoredConnection = Pick<Connection, "isOpen" | "unsentBytes" | "closeAsTooSlow" | "tick">;

const intervalMs = 1000;

/**
 * Checks every connection once a second, which is cheaper than timers per connection: closes connections whose token
 * has expired, and limits the memory of unsent data. If the unsent bytes of all sockets together (pushes and replies)
 * exceed the limit, the slowest clients are disconnected first. `Connection.tick` checks the limits per socket.
 * @param options.maxBytes unsent bytes of all sockets together
 * @returns a function that stops the monitor
 */
export function startConnectionMonitor(
  connections: Iterable<MonitoredConnection>,
  options: { maxBytes: number },
): () => void {
  const timer = setInterval(() => {
    const now = performance.now();
    const withBacklog: MonitoredConnection[] = [];
    let bytes = 0;
    for (const connection of connections) {
      connection.tick(now);
      if (!connection.isOpen || connection.unsentBytes === 0) continue;
      withBacklog.push(connection);
      bytes += connection.unsentBytes;
    }
    if (bytes <= options.maxBytes) return;
    for (const connection of withBacklog.sort((a, b) => b.unsentBytes - a.unsentBytes)) {
      bytes -= connection.unsentBytes;
      connection.closeAsTooSlow();
      if (bytes <= options.maxBytes) return;
    }
  }, intervalMs).unref();
  return () => clearInterval(timer);
}
