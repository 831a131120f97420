/** Shortest time between two calls, in milliseconds. */
const intervalMs = 10_000;

/** Wraps a function that writes a warning: calls within ten seconds of the last one are dropped, to not flood the log. */
export function throttled<Args extends unknown[]>(warn: (...args: Args) => void): (...args: Args) => void {
  let nextAt = 0;
  return (...args) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + intervalMs;
    warn(...args);
  };
}
