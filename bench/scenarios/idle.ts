import { setTimeout as wait } from "node:timers/promises";
import type { HoldJob } from "../load/hold-process.ts";
import { prepareLoad } from "../load/load.ts";
import type { Scenario } from "../scenario.ts";
import { type ComparedServer, type ServerName, startServer, withServers } from "../servers.ts";
import { median } from "../statistics.ts";

/** Time for garbage collection and the release of its memory, in milliseconds. */
const settleMs = { quick: 500, long: 5000 };

/** The memory per idle connection, in bytes. */
async function bytesPerConnection(server: ComparedServer, connections: number, settleTimeMs: number): Promise<number> {
  const { url, tokenOf } = server;
  const hold = async (from: number, count: number) => {
    const tokens = Array.from({ length: count }, (_, index) => tokenOf(from + index));
    return prepareLoad<HoldJob, null>("./hold-process.ts", { url, tokens });
  };
  const residentWhenSettled = async () => {
    server.collectGarbage();
    await wait(settleTimeMs);
    return server.residentBytes();
  };
  // Warm up with some connections, so that the code they need is loaded and compiled.
  const first = await hold(1, 100);
  const before = await residentWhenSettled();
  const others = await hold(101, connections);
  const bytes = ((await residentWhenSettled()) - before) / connections;
  await Promise.all([first.close(), others.close()]);
  return bytes;
}

export const idle: Scenario = {
  summary: "memory of idle connections",
  async run({ quick, only, rounds }, databaseServer) {
    const connections = quick ? 500 : 10_000;
    const settleTimeMs = quick ? settleMs.quick : settleMs.long;
    const dataset = { people: connections + 100 };
    const names = only.filter((name) => name === "relay" || name === "ours");
    const measured = new Map<ServerName, number[]>(names.map((name) => [name, []]));
    // A new server in each round, since memory that a server has used before would distort the measurement.
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        const start = () => startServer(name, { databaseServer, dataset });
        await withServers([start], async ([server]) => {
          if (server) measured.get(name)?.push(await bytesPerConnection(server, connections, settleTimeMs));
        });
      }
    }
    const kibibytes = new Map([...measured].map(([name, bytes]) => [name, bytes.map((each) => each / 1024)]));
    const ours = kibibytes.get("ours");
    const limit = kibibytes.get("relay");
    const targets =
      ours && limit
        ? [{ name: "memory per connection, ours to relay", measured: median(ours) / median(limit), limit: 1.5 }]
        : [];
    return [
      {
        title: `idle: ${connections} connections`,
        columns: ["KiB per connection", "median", "min", "max"],
        rows: [...kibibytes].map(([name, each]) => [name, median(each), Math.min(...each), Math.max(...each)]),
        targets,
        faults: [],
      },
    ];
  },
};
