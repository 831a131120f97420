// Loaded into a server process by a test (`node --expose-gc --import resource-probe.mjs`): on request over IPC, forces a
// garbage collection and reports the resource usage of the process.

process.on("message", () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  /** @type {Record<string, number>} */
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  process.send?.({ rss, heapUsed, resources });
});
// The IPC channel must not keep the process alive.
process.channel?.unref();
