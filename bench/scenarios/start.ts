import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOurs } from "../servers.ts";
import type { Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

/** Seconds from the start of the process until it listens. */
async function timeStart(folder: string): Promise<number> {
  const startedAt = performance.now();
  const server = await startOurs({ DATA_DIR: folder });
  const seconds = (performance.now() - startedAt) / 1000;
  await server.stop("SIGTERM");
  return seconds;
}

export const start: Scenario = {
  summary: "how long the server with its embedded database takes to start",
  async run({ rounds }) {
    const folder = await mkdtemp(join(tmpdir(), "messenger-bench-"));
    try {
      const first = await timeStart(folder);
      const later: number[] = [];
      for (let round = 0; round < rounds; round++) later.push(await timeStart(folder));
      return [
        {
          title: "start: embedded database",
          columns: ["", "s"],
          rows: [
            ["first start", first],
            ["second start", median(later)],
          ],
          targets: [{ what: "second start, s", measured: median(later), limit: 3 }],
          faults: [],
        },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
