/** Shortest time between two calls, in milliseconds. */
const intervalMs = 10_000;

/** Wraps a function that logs: calls within ten seconds of the last one are dropped, so the log is not flooded. */
export function throttled<Args extends unknown[]>(warn: (...args: Args) => void): (...args: Args) => void {
  let nextAt = 0;
  return (...args) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + intervalMs;
    warn(...args);
  };
}
