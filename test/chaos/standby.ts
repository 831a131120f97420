import { setTimeout as wait } from "node:timers/promises";
import type { Cluster } from "../support/cluster.ts";
import { checkEndOfHistory, checkRestored } from "./checker.ts";
import type { ChaosClient } from "./client.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import type { SdkDevices } from "./sdk-devices.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

/** For how long the standby has copied nothing when it takes over, in milliseconds. */
const maxLagMs = 1500;

/** A standby that takes the place of the database server under test, without what was committed last. */
export class Standby {
  private cluster: Cluster | undefined;

  constructor(
    private readonly server: ServerUnderTest,
    private readonly log: Log,
    private readonly sdk: SdkDevices,
  ) {}

  get isRunning(): boolean {
    return this.cluster !== undefined;
  }

  async start(): Promise<void> {
    this.cluster = await this.server.cluster?.createStandby();
  }

  /**
   * Crashes the database server and lets the standby take over at the same address. The processes of the messenger go on
   * and notice by themselves that the history of the data is another one.
   */
  async failOver(clients: readonly ChaosClient[], random: Random): Promise<void> {
    const { server, log, sdk, cluster: standby } = this;
    const { cluster: primary } = server;
    if (!standby || !primary) return;
    const acknowledged = log.acknowledged();
    sdk.noteBackup();
    await standby.catchUpWith(primary);
    await standby.stop();
    await wait(random.between(0, maxLagMs));
    await primary.stop("immediate");
    await readWhatWasSent(clients);

    const address = primary.port;
    await primary.startOn(standby.port);
    await checkEndOfHistory(primary.url, log);
    await sdk.endHistory(primary.url);
    await primary.stop();

    await standby.promote();
    await checkRestored(standby.url, log, acknowledged);
    await sdk.startHistory(standby.url);
    await standby.stop();
    await server.replaceCluster(standby, address);
    this.cluster = undefined;
  }

  async remove(): Promise<void> {
    await this.cluster?.remove();
  }
}

/** Waits until the clients have received everything that the processes had sent before. */
async function readWhatWasSent(clients: readonly ChaosClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.request("ping", {})));
}
