import { setTimeout as wait } from "node:timers/promises";
import { type Contestant, type ContestantName, enter, withContestants } from "../contestants.ts";
import type { HoldJob } from "../load/hold-process.ts";
import { prepareLoad } from "../load/load.ts";
import type { Scenario } from "../scenario.ts";

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
  async run({ quick, only }, arena) {
    const connections = quick ? 500 : 10_000;
    const world = { people: connections + 100 };
    const kilobytes = new Map<ContestantName, number>();
    const rest = quick ? restMs.quick : restMs.long;
    for (const name of only.filter((one) => one === "relay" || one === "ours")) {
      const bytes = await withContestants([() => enter(name, { arena, world })], ([contestant]) =>
        contestant ? bytesPerConnection(contestant, connections, rest) : Promise.reject(new Error(`no ${name}`)),
      );
      kilobytes.set(name, bytes / 1024);
    }
    const ours = kilobytes.get("ours");
    const limit = kilobytes.get("relay");
    const targets =
      ours && limit ? [{ what: "memory per connection, ours to relay", measured: ours / limit, limit: 1.5 }] : [];
    return [
      {
        title: `idle: ${connections} connections`,
        columns: ["", "KiB per connection"],
        rows: [...kilobytes],
        targets,
        faults: [],
      },
    ];
  },
};
