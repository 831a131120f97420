import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Scenario } from "../scenario.ts";
import { startMessengerProcess } from "../servers.ts";
import { median } from "../statistics.ts";

/** Seconds from the start of the process until it is ready. */
async function timeStart(folder: string): Promise<number> {
  const startedAt = performance.now();
  const server = await startMessengerProcess({ DATA_DIR: folder });
  const seconds = (performance.now() - startedAt) / 1000;
  await server.stop("SIGTERM");
  return seconds;
}

export const start: Scenario = {
  summary: "start time of the server with its embedded database",
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
          targets: [{ name: "second start, s", measured: median(later), limit: 3 }],
          faults: [],
        },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
