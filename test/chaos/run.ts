import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { ProgramSettings } from "../../packages/client/test/support/simulated-device.ts";
import { runActions } from "./actions.ts";
import { Backups } from "./backups.ts";
import { checkWithFsck } from "./check-fsck.ts";
import { checkDatabase, checkDuringRun } from "./checker.ts";
import { emptyFaultCounts, type Fault, type FaultCounts, injectFault, weightedFaults } from "./faults.ts";
import { Log } from "./log.ts";
import {
  checkAllDelivered,
  createGroups,
  readAsNewDevices,
  reconnectAndSync,
  registerClients,
  usersOf,
} from "./people.ts";
import { Random } from "./random.ts";
import type { ClientRules } from "./replica.ts";
import { SdkDevices } from "./sdk-devices.ts";
import { ServerUnderTest } from "./server-under-test.ts";
import { Standby } from "./standby.ts";

export interface ChaosOptions {
  seed: number;
  database: "embedded" | "server";
  /** The number of server processes. More than one require a database server. */
  processes?: number;
  /** The number of faults to inject. */
  rounds: number;
  people: number;
  /** How many of the users also have devices with the client SDK; every sixth, and at least two, by default. */
  sdkUsers?: number | undefined;
  /** Makes the messengers of these devices; those of `packages/client` by default. */
  createMessenger?: ProgramSettings["createMessenger"];
  /** Minimum and maximum time between two faults, in milliseconds. */
  intervalMs: [number, number];
  /** Minimum number of actions between two faults, for slow machines. */
  minActions?: number;
  entry?: string;
  /** The rules that the clients follow; all by default. */
  rules?: ClientRules | undefined;
  settings?: Record<string, string>;
  /** Whether several processes have Redis; true by default. */
  hasRedis?: boolean;
  /** Injects only these faults. */
  faults?: readonly Fault[] | undefined;
  /** Whether backups are among the faults: one is taken, and restored later. */
  hasBackups?: boolean;
  /** Whether a standby takes the place of the database server from time to time. */
  hasFailovers?: boolean;
  /** After each fault, all devices wait until they have received every acknowledged change. */
  idles?: boolean;
  /** Changes the database after the first start. */
  prepare?: (url: string) => Promise<void>;
  onRound?: (round: number, fault: Fault, log: Log) => void;
  /** Whether to stop after the round. */
  shouldStop?: (log: Log, faults: Readonly<FaultCounts>) => boolean;
  /** Also checks acknowledged changes after each round, with a database server. */
  checkEachRound?: boolean;
}

export interface ChaosResult {
  log: Log;
  faults: FaultCounts;
  seconds: number;
  /** What the devices with the SDK did. */
  sdk: Record<string, number>;
}

/** Runs random clients against a real server while injecting faults, then checks everything they observed. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const startedAt = Date.now();
  const random = new Random(options.seed);
  const log = new Log((options.processes ?? 1) === 1);
  const faults = emptyFaultCounts();
  const server = await ServerUnderTest.create(options);
  const folder = await mkdtemp(join(tmpdir(), "messenger-stores-"));
  let sdk: SdkDevices | undefined;
  let standby: Standby | undefined;
  try {
    await server.startAll();
    if (options.prepare) await server.changeDatabase(options.prepare);
    const clients = await registerClients(server.ports[0] ?? 0, options.people, { log, random, rules: options.rules });
    const groups = await createGroups(clients, server.ports[0] ?? 0, random);

    const { ports } = server;
    const { sdkUsers: count = Math.max(2, Math.floor(options.people / 6)), createMessenger } = options;
    const users = usersOf(clients);
    sdk = new SdkDevices({ users, count, ports, folder, log, random, ...(createMessenger && { createMessenger }) });
    await sdk.login();

    const stop = new AbortController();
    const run = { clients, groups, ports, log, signal: stop.signal, isIdle: false };
    const working = [...clients.map((client) => runActions(client, run)), sdk.runActions(run)];
    standby = options.hasFailovers ? new Standby(server, log, sdk) : undefined;
    const backups = options.hasBackups ? new Backups(server, log, sdk) : undefined;
    for (let round = 1; round <= options.rounds && !options.shouldStop?.(log, faults); round++) {
      const actionsBefore = log.counts.actions;
      await wait(random.between(...options.intervalMs));
      while (log.counts.actions < actionsBefore + (options.minActions ?? 0)) await wait(20);
      const possible = weightedFaults({ server, backups, standby }).filter(
        (name) => options.faults?.includes(name) ?? true,
      );
      const fault = random.pick(possible) ?? "kill";
      faults[fault]++;
      log.latency.suspend();
      await injectFault(fault, { server, backups, standby, clients, sdk, random, log });
      log.latency.resume();
      if (options.idles) {
        run.isIdle = true;
        await checkAllDelivered(clients, log);
        run.isIdle = false;
      }
      if (options.checkEachRound && server.cluster) await checkDuringRun(server.cluster.url, log, sdk);
      options.onRound?.(round, fault, log);
    }
    await wait(options.intervalMs[0]);
    stop.abort();
    await Promise.all(working);
    await sdk.sendAll();
    await checkAllDelivered(clients, log);

    await reconnectAndSync(clients, ports);
    await sdk.readViews();
    await readAsNewDevices(clients, { ports, log });
    await server.stopAll("SIGTERM");
    await server.withDatabase(async (url) => {
      await checkDatabase(url, log, clients);
      await sdk?.checkDatabase(url);
      const isOneHistory = !options.hasBackups && !options.hasFailovers;
      await checkWithFsck(url, { dataDir: server.folder, isOneHistory, log });
    });
  } finally {
    sdk?.end();
    await standby?.remove();
    await rm(folder, { recursive: true, force: true });
    await server.remove();
  }
  return { log, faults, seconds: (Date.now() - startedAt) / 1000, sdk: sdk?.counts ?? {} };
}
