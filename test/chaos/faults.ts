import { setTimeout as wait } from "node:timers/promises";
import type { ChaosClient } from "./client.ts";
import type { Random } from "./random.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

export type Fault =
  | "kill"
  | "terminate"
  | "disconnect"
  | "stall"
  | "databaseImmediate"
  | "databaseFast"
  | "databaseReadOnly"
  | "redis"
  | "redisPause"
  | "clockStep";

export type FaultCounts = Record<Fault, number>;

export const emptyFaultCounts = (): FaultCounts => ({
  kill: 0,
  terminate: 0,
  disconnect: 0,
  stall: 0,
  databaseImmediate: 0,
  databaseFast: 0,
  databaseReadOnly: 0,
  redis: 0,
  redisPause: 0,
  clockStep: 0,
});

/** The possible faults, repeated by their relative frequencies. Most of them are kills. */
export const weightedFaults = ({ cluster, redis, clock }: ServerUnderTest): Fault[] => [
  ...(["kill", "kill", "kill", "kill", "terminate", "disconnect", "stall"] as const),
  ...(cluster ? (["databaseImmediate", "databaseFast", "databaseReadOnly"] as const) : []),
  ...(redis ? (["redis", "redis", "redisPause"] as const) : []),
  ...(clock ? (["clockStep"] as const) : []),
];

/** Where the clock of one process is set, in seconds from the real time. */
const clockSteps = [0, -3600, -300, 300, 3600];

/** Injects a fault and recovers from it. */
export async function injectFault(
  fault: Fault,
  server: ServerUnderTest,
  clients: readonly ChaosClient[],
  random: Random,
): Promise<void> {
  const some = clients.filter(() => random.chance(0.3));
  if (fault === "kill" || fault === "terminate") {
    const port = random.pick(server.ports) ?? 0;
    await server.stop(port, fault === "kill" ? "SIGKILL" : "SIGTERM");
    await server.start(port);
  } else if (fault === "redis") {
    await server.redis?.kill();
    await wait(random.between(0, 2000));
    await server.redis?.start();
  } else if (fault === "redisPause") {
    server.redis?.pause();
    await wait(random.between(500, 4000));
    server.redis?.resume();
  } else if (fault === "clockStep") server.clock?.set(random.pick(clockSteps) ?? 0);
  else if (fault === "databaseReadOnly") {
    await server.setReadOnly(true);
    await wait(random.between(500, 3000));
    await server.setReadOnly(false);
  } else if (fault === "disconnect") for (const client of some) client.disconnect();
  else if (fault === "stall") for (const client of some) client.stall(random.between(200, 2000));
  else {
    await server.cluster?.stop(fault === "databaseFast" ? "fast" : "immediate");
    await server.cluster?.start();
  }
}
