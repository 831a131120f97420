import { setTimeout as wait } from "node:timers/promises";
import { type Contestant, type ContestantName, enter, withContestants } from "../servers.ts";
import type { HoldJob } from "../load/hold-process.ts";
import { prepareLoad } from "../load/load.ts";
import type { Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

/** Until the garbage has been collected and its memory given back, in milliseconds. */
const restMs = { quick: 500, long: 5000 };

/** The bytes of memory that a connection costs which says nothing. */
async function bytesPerConnection(contestant: Contestant, connections: number, rest: number): Promise<number> {
  const { url, tokenOf } = contestant;
  const hold = async (from: number, count: number) => {
    const tokens = Array.from({ length: count }, (_, index) => tokenOf(from + index));
    return prepareLoad<HoldJob, null>("./hold-process.ts", { url, tokens });
  };
  const residentAtRest = async () => {
    contestant.collectGarbage();
    await wait(rest);
    return contestant.residentBytes();
  };
  // The first connections make the process load and compile what all need.
  const first = await hold(1, 100);
  const before = await residentAtRest();
  const crowd = await hold(101, connections);
  const bytes = ((await residentAtRest()) - before) / connections;
  await Promise.all([first.close(), crowd.close()]);
  return bytes;
}

export const idle: Scenario = {
  summary: "memory of connections that say nothing",
  async run({ quick, only, rounds }, arena) {
    const connections = quick ? 500 : 10_000;
    const rest = quick ? restMs.quick : restMs.long;
    const world = { people: connections + 100 };
    const names = only.filter((name) => name === "relay" || name === "ours");
    const measured = new Map<ContestantName, number[]>(names.map((name) => [name, []]));
    // A server of its own each time: what one has made of the space it once had would be in the figure.
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        const start = () => enter(name, { arena, world });
        await withContestants([start], async ([contestant]) => {
          if (contestant) measured.get(name)?.push(await bytesPerConnection(contestant, connections, rest));
        });
      }
    }
    const kibibytes = new Map([...measured].map(([name, bytes]) => [name, bytes.map((each) => each / 1024)]));
    const ours = kibibytes.get("ours");
    const limit = kibibytes.get("relay");
    const targets =
      ours && limit
        ? [{ what: "memory per connection, ours to relay", measured: median(ours) / median(limit), limit: 1.5 }]
        : [];
    return [
      {
        title: `idle: ${connections} connections`,
        columns: ["KiB per connection", "median", "least", "most"],
        rows: [...kibibytes].map(([name, each]) => [name, median(each), Math.min(...each), Math.max(...each)]),
        targets,
        faults: [],
      },
    ];
  },
};
