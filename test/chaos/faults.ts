import { setTimeout as wait } from "node:timers/promises";
import type { Backups } from "./backups.ts";
import type { ChaosClient } from "./client.ts";
import { askAboutLockedGroup } from "./locked-group.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import { medianOf } from "./response-times.ts";
import type { SdkDevices } from "./sdk-devices.ts";
import type { ServerUnderTest } from "./server-under-test.ts";
import type { Standby } from "./standby.ts";

export interface FaultContext {
  server: ServerUnderTest;
  /** Undefined in a run without backups. */
  backups: Backups | undefined;
  /** Undefined in a run without failovers. */
  standby: Standby | undefined;
  clients: readonly ChaosClient[];
  sdk: SdkDevices;
  random: Random;
  log: Log;
}

/** Where the clock of one process is set, in seconds from the real time. */
const clockSteps = [0, -3600, -300, 300, 3600];

/** The highest median response time of requests that a fault must not delay, in milliseconds. */
const maxMedianMs = 1000;

/** Each injects a fault and recovers from it. */
const faults = {
  kill: (context: FaultContext) => restartProcess(context, "SIGKILL"),
  terminate: (context: FaultContext) => restartProcess(context, "SIGTERM"),
  disconnect({ clients, sdk, random }: FaultContext) {
    for (const client of someOf(clients, random)) client.disconnect();
    sdk.disconnectSome(random);
  },
  stall({ clients, sdk, random }: FaultContext) {
    for (const client of someOf(clients, random)) client.stall(random.between(200, 2000));
    sdk.stallSome(random);
  },
  databaseImmediate: (context: FaultContext) => restartDatabase(context, "immediate"),
  databaseFast: (context: FaultContext) => restartDatabase(context, "fast"),
  async databaseReadOnly({ server, random }: FaultContext) {
    await server.setReadOnly(true);
    await wait(random.between(500, 3000));
    await server.setReadOnly(false);
  },
  async redis({ server, random }: FaultContext) {
    await server.redis?.kill();
    await wait(random.between(0, 2000));
    await server.redis?.start();
  },
  /** Requests must not wait for it. Every request counts in Redis, unless that is known to hang. */
  async redisPause({ server, random, log }: FaultContext) {
    log.responseTimes.start();
    server.redis?.pause();
    await wait(random.between(2000, 4000));
    const medianMs = log.responseTimes.end();
    server.redis?.resume();
    if (medianMs > maxMedianMs) reportSlow(log, "while Redis hung, a request", medianMs);
  },
  clockStep({ server, random }: FaultContext) {
    server.clock?.set(random.pick(clockSteps) ?? 0);
  },
  /** Requests of users who are not in the group must not wait for the lock. */
  async lockedGroup({ server, clients, random, log }: FaultContext) {
    const { cluster, ports } = server;
    if (!cluster) return;
    const medianMs = medianOf(await askAboutLockedGroup({ databaseUrl: cluster.url, ports, clients, random }));
    if (medianMs > maxMedianMs) reportSlow(log, "while a group was locked, a request of a user not in it", medianMs);
  },
  backup: ({ backups }: FaultContext) => backups?.take(),
  restore: ({ backups, clients, random }: FaultContext) => backups?.restore(clients, random),
  startStandby: ({ standby }: FaultContext) => standby?.start(),
  failOver: ({ standby, clients, random }: FaultContext) => standby?.failOver(clients, random),
};

export type Fault = keyof typeof faults;

export const allFaults = Object.keys(faults) as readonly Fault[];

export const isFault = (name: string): name is Fault => name in faults;

export type FaultCounts = Record<Fault, number>;

export const emptyFaultCounts = (): FaultCounts =>
  Object.fromEntries(allFaults.map((name) => [name, 0])) as Record<Fault, number>;

/**
 * The possible faults, repeated by their relative frequencies. Most are kills. With backups or failovers, half of them are
 * about these: first a copy of the data is made, then it takes the place of the data.
 */
export function weightedFaults({
  server,
  backups,
  standby,
}: Pick<FaultContext, "server" | "backups" | "standby">): Fault[] {
  const others: Fault[] = [
    ...(["kill", "kill", "kill", "kill", "terminate", "disconnect", "stall"] as const),
    ...(server.cluster ? (["databaseImmediate", "databaseFast", "databaseReadOnly", "lockedGroup"] as const) : []),
    ...(server.redis ? (["redis", "redis", "redisPause"] as const) : []),
    ...(server.clock ? (["clockStep"] as const) : []),
  ];
  const copies: Fault[] = backups?.hasBackup
    ? ["restore"]
    : standby?.isRunning
      ? ["failOver"]
      : [...(backups ? (["backup"] as const) : []), ...(standby ? (["startStandby"] as const) : [])];
  if (copies.length === 0) return others;
  return [...others, ...others.map((_, index): Fault => copies[index % copies.length] ?? "kill")];
}

export const injectFault = async (fault: Fault, context: FaultContext): Promise<void> => faults[fault](context);

const someOf = (clients: readonly ChaosClient[], random: Random): ChaosClient[] =>
  clients.filter(() => random.chance(0.3));

async function restartProcess({ server, random }: FaultContext, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  const port = random.pick(server.ports) ?? 0;
  await server.stop(port, signal);
  await server.start(port);
}

async function restartDatabase({ server }: FaultContext, mode: "fast" | "immediate"): Promise<void> {
  await server.cluster?.stop(mode);
  await server.cluster?.start();
}

function reportSlow(log: Log, what: string, medianMs: number): void {
  log.reportViolation("slow", `${what} took ${Math.round(medianMs)} ms, as the median`);
}
