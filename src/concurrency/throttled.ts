/** Shortest time between two calls, in milliseconds. */
const intervalMs = 10_000;

/** Wraps a function that logs: calls within ten seconds of the last one are dropped, so the log is not flooded. */
export function throttled<Args extends unknown[]>(warn: (...args: Args) => void): (...args: Args) => void {
  return throttledWithCount((_suppressed, ...args) => warn(...args));
}

/** The same, for a function whose first argument is the number of calls dropped since the last one. */
export function throttledWithCount<Args extends unknown[]>(
  warn: (suppressed: number, ...args: Args) => void,
): (...args: Args) => void {
  let nextAt = 0;
  let suppressed = 0;
  return (...args) => {
    if (performance.now() < nextAt) {
      suppressed++;
      return;
    }
    nextAt = performance.now() + intervalMs;
    warn(suppressed, ...args);
    suppressed = 0;
  };
}
