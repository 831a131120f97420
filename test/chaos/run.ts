import { setTimeout as wait } from "node:timers/promises";
import { act } from "./actions.ts";
import { type Fault, type FaultCounts, faultsOf, inflict, noFaults } from "./faults.ts";
import { judge, judgeInPassing } from "./checker.ts";
import { Log } from "./log.ts";
import { expectAllTold, makeGroups, makePeople, settle } from "./people.ts";
import { Random } from "./random.ts";
import { ServerUnderTest } from "./server-under-test.ts";

export interface ChaosOptions {
  seed: number;
  database: "embedded" | "server";
  /** Server processes on one database, which has to be a server's then. */
  processes?: number;
  /** How many faults; each is one trial. */
  rounds: number;
  people: number;
  /** Between two faults, in milliseconds: at least and at most. */
  calmMs: [number, number];
  /** How much is done between two faults at least, however slow the machine is. */
  leastActs?: number;
  entry?: string;
  settings?: Record<string, string>;
  /** Changes the database after the first start, to widen windows in it. */
  prepare?: (url: string) => Promise<void>;
  onRound?: (round: number, fault: Fault, log: Log) => void;
  /** Stops early, at the end of a round. */
  isEnough?: (log: Log, faults: Readonly<FaultCounts>) => boolean;
  /** Holds what is acknowledged against the database after each round too, where that can be read beside the server. */
  judgeEachRound?: boolean;
}

export interface Verdict {
  log: Log;
  faults: FaultCounts;
  seconds: number;
}

/** Drives people against a real server while it is killed, cut off and restarted, and judges what they were told. */
export async function runChaos(options: ChaosOptions): Promise<Verdict> {
  const startedAt = Date.now();
  const random = new Random(options.seed);
  const log = new Log((options.processes ?? 1) === 1);
  const faults = noFaults();
  const server = await ServerUnderTest.make(options);
  try {
    await server.startAll();
    if (options.prepare) await server.change(options.prepare);
    const clients = await makePeople(server.ports[0] ?? 0, options.people, log, random);
    const groups = await makeGroups(clients, server.ports[0] ?? 0, random);

    const stop = new AbortController();
    const working = clients.map((client) =>
      act(client, { clients, groups, ports: server.ports, log, signal: stop.signal }),
    );
    for (let round = 1; round <= options.rounds && !options.isEnough?.(log, faults); round++) {
      const actsBefore = log.counts.acts;
      await wait(random.between(...options.calmMs));
      while (log.counts.acts < actsBefore + (options.leastActs ?? 0)) await wait(20);
      const fault = random.pick(faultsOf(options)) ?? "kill";
      faults[fault]++;
      log.punctuality.break();
      await inflict(fault, server, clients, random);
      log.punctuality.mend();
      if (options.judgeEachRound && server.cluster) await judgeInPassing(server.cluster.url, log);
      options.onRound?.(round, fault, log);
    }
    await wait(options.calmMs[0]);
    stop.abort();
    await Promise.all(working);
    await expectAllTold(clients, log);

    await settle(clients, server.ports);
    await server.endAll("SIGTERM");
    await server.withDatabase((url) => judge(url, log, clients));
  } finally {
    await server.remove();
  }
  return { log, faults, seconds: (Date.now() - startedAt) / 1000 };
}
