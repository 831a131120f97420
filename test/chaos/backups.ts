import { setTimeout as wait } from "node:timers/promises";
import { checkEndOfHistory, checkRestored } from "./checker.ts";
import type { ChaosClient } from "./client.ts";
import type { Acknowledged, Log } from "./log.ts";
import type { Random } from "./random.ts";
import type { SdkDevices } from "./sdk-devices.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

/** For how long some devices stay offline after a restore, in milliseconds: others then use the same versions again. */
const maxOfflineMs = 6000;

/** Takes a backup of the server under test, and restores it later. */
export class Backups {
  /** What had been acknowledged before the backup was taken; undefined without a backup. */
  private acknowledged: Acknowledged | undefined;

  constructor(
    private readonly server: ServerUnderTest,
    private readonly log: Log,
    private readonly sdk: SdkDevices,
  ) {}

  get hasBackup(): boolean {
    return this.acknowledged !== undefined;
  }

  /** Takes a backup while the clients go on. */
  async take(): Promise<void> {
    const acknowledged = this.log.acknowledged();
    this.sdk.noteBackup();
    await this.server.takeBackup();
    this.acknowledged = acknowledged;
  }

  /** Stops the server, replaces its database by the backup, and starts it again. */
  async restore(clients: readonly ChaosClient[], random: Random): Promise<void> {
    const { server, log, sdk, acknowledged } = this;
    if (!acknowledged) return;
    await server.stopAll(random.chance(0.5) ? "SIGKILL" : "SIGTERM");
    // What the clients have not read yet belongs to the history that ends here.
    do await wait(10);
    while (clients.some(({ hasSocket }) => hasSocket));
    await server.withDatabase(async (url) => {
      await checkEndOfHistory(url, log);
      await sdk.endHistory(url);
    });
    await server.restoreBackup();
    this.acknowledged = undefined;
    await server.withDatabase(async (url) => {
      await checkRestored(url, log, acknowledged);
      await sdk.startHistory(url);
    });
    for (const client of clients) if (random.chance(0.5)) client.stayOffline(random.between(0, maxOfflineMs));
    await server.startAll();
  }
}
