import { Cluster } from "../test/support/cluster.ts";
import { onDatabase } from "../test/support/on-database.ts";
import { treeCpuMs } from "./process-use.ts";

/** The PostgreSQL server of a run, shared by the compared servers. Each has its own database. */
export class BenchDatabaseServer {
  private databaseCount = 0;

  private constructor(
    private readonly cluster: Cluster,
    private readonly pid: number,
  ) {}

  /** Starts a temporary cluster with PostgreSQL's default settings, except `fsync`. */
  static async start({ fsync }: { fsync: boolean }): Promise<BenchDatabaseServer> {
    const cluster = await Cluster.create();
    await cluster.start();
    const pid = await onDatabase(cluster.url, async (client) => {
      if (!fsync) await client.query("ALTER SYSTEM SET fsync = off");
      await client.query("SELECT pg_reload_conf()");
      const { rows } = await client.query("SELECT pg_read_file('postmaster.pid') AS file");
      return Number.parseInt(rows[0].file, 10);
    });
    return new BenchDatabaseServer(cluster, pid);
  }

  /** Creates an empty database. @returns its URL */
  async createDatabase(): Promise<string> {
    const name = `bench_${++this.databaseCount}`;
    await onDatabase(this.cluster.url, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = new URL(this.cluster.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** CPU time of all processes of the server, including exited ones, in milliseconds. */
  cpuMs(): number {
    return treeCpuMs(this.pid);
  }

  /** Forces a checkpoint, so that none falls into the next measurement. */
  async checkpoint(): Promise<void> {
    await onDatabase(this.cluster.url, (client) => client.query("CHECKPOINT"));
  }

  remove(): Promise<void> {
    return this.cluster.remove();
  }
}
