import { Cluster } from "../test/support/cluster.ts";
import { familyCpuMs } from "./process-use.ts";
import { onDatabase } from "../test/support/on-database.ts";

/** The PostgreSQL server of a run, the same for all contestants; each has a database of its own in it. */
export class Arena {
  private databases = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly pid: number,
  ) {}

  /** Makes a cluster in a temporary folder with the defaults of PostgreSQL, but for `fsync`. */
  static async open({ fsync }: { fsync: boolean }): Promise<Arena> {
    const cluster = await Cluster.create();
    await cluster.start();
    const pid = await onDatabase(cluster.url, async (client) => {
      if (!fsync) await client.query("ALTER SYSTEM SET fsync = off");
      await client.query("SELECT pg_reload_conf()");
      const { rows } = await client.query("SELECT pg_read_file('postmaster.pid') AS file");
      return Number.parseInt(rows[0].file, 10);
    });
    return new Arena(cluster, pid);
  }

  /** @returns the URL of an empty database */
  async database(): Promise<string> {
    const name = `bench_${++this.databases}`;
    await onDatabase(this.cluster.url, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = new URL(this.cluster.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** CPU time of all processes of the server, those too that have ended, in milliseconds. */
  cpuMs(): number {
    return familyCpuMs(this.pid);
  }

  /** Leaves nothing to be written during the next measurement. */
  async settle(): Promise<void> {
    await onDatabase(this.cluster.url, (client) => client.query("CHECKPOINT"));
  }

  close(): Promise<void> {
    return this.cluster.remove();
  }
}
