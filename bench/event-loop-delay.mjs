import { monitorEventLoopDelay } from "node:perf_hooks";

// Loaded into a server process with --import. On SIGUSR2, prints the event loop delay since the last time.

const resolution = 10;
const delay = monitorEventLoopDelay({ resolution });
delay.enable();
process.on("SIGUSR2", () => {
  // A punctual timer of 10 ms is recorded as 10 ms.
  const late = (/** @type {number} */ percentile) => Math.max(0, delay.percentile(percentile) / 1e6 - resolution);
  process.stderr.write(`event loop delay: ${JSON.stringify({ p99: late(99), max: late(100) })}\n`);
  delay.reset();
});
