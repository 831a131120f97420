// Loaded into a server process by a test (`node --expose-gc --import probe.mjs`), never shipped: tells its parent over
// IPC what the process holds, after a forced collection.

process.on("message", () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  /** @type {Record<string, number>} */
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  process.send?.({ rss, heapUsed, resources });
});
// Asking must not keep alive a server that has nothing else to do.
process.channel?.unref();
