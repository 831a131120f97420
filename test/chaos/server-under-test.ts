import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { whileFilesStay } from "../../src/backup/file-parts.ts";
import { startEngine } from "../../src/db/open.ts";
import { backupMark } from "../../src/files/backup-mark.ts";
import { DiskStorage } from "../../src/files/disk-storage.ts";
import { filesFolder } from "../../src/files/open-storage.ts";
import { Cluster, freePort } from "../support/cluster.ts";
import { onDatabase } from "../support/on-database.ts";
import { ServerProcess } from "../support/process.ts";
import { TestRedis } from "../support/redis.ts";
import { ProcessClock } from "./process-clock.ts";

/** Limits that no client reaches: every request is counted in Redis. */
const highRateLimits: Record<string, string> = {
  RATE_LIMITS: "on",
  MAX_SOCKETS_PER_USER: "1000",
  ...Object.fromEntries(
    [
      "LOGINS_PER_ACCOUNT",
      "LOGINS_PER_ADDRESS",
      "RECONNECTS_PER_ADDRESS",
      "MESSAGES_PER_USER",
      "REQUESTS_PER_USER",
      "UPLOADS_PER_USER",
      "DOWNLOADS_PER_USER",
      "AVATARS_PER_ADDRESS",
    ].map((name) => [`LIMIT_${name}`, "900000+900000/s"]),
  ),
};

/** Server processes with their own database that can be killed and restarted. One process by default. */
export class ServerUnderTest {
  private readonly running = new Map<number, ServerProcess>();
  /** Where the backup is, once there is one. */
  private backup: string | undefined;

  private constructor(
    /** The data folder of all processes. */
    readonly folder: string,
    private currentCluster: Cluster | undefined,
    /** Only with several processes. */
    readonly redis: TestRedis | undefined,
    /** The clock of the last of several processes, where it can be set. */
    readonly clock: ProcessClock | undefined,
    /** One per process. */
    readonly ports: readonly number[],
    private readonly settings: Record<string, string>,
  ) {}

  /** @param options.entry the `main.js` to run instead of the one in `dist` */
  static async create(options: {
    database: "embedded" | "server";
    processes?: number;
    hasRedis?: boolean;
    hasFailovers?: boolean;
    entry?: string;
    settings?: Record<string, string>;
  }): Promise<ServerUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), "messenger-chaos-"));
    const cluster = options.database === "server" ? await Cluster.create() : undefined;
    await cluster?.start();
    const processes = options.processes ?? 1;
    const redis = processes > 1 && options.hasRedis !== false ? await TestRedis.start() : undefined;
    const clock = processes > 1 ? ProcessClock.create(folder) : undefined;
    const ports = await Promise.all(Array.from({ length: processes }, freePort));
    const settings = {
      DATA_DIR: folder,
      LOG_LEVEL: "warn",
      RATE_LIMITS: "off",
      // A standby may have a message whose deletion it has not copied, and needs its files.
      ...(!options.hasFailovers && { FILE_COLLECT_SECONDS: "1" }),
      ...(cluster && { DATABASE_URL: cluster.url }),
      ...(redis && { REDIS_URL: redis.url, ...highRateLimits }),
      ...(options.entry && { MESSENGER_ENTRY: options.entry }),
      ...options.settings,
    };
    return new ServerUnderTest(folder, cluster, redis, clock, ports, settings);
  }

  /** The database server; undefined with an embedded database. */
  get cluster(): Cluster | undefined {
    return this.currentCluster;
  }

  /** Puts another database server in the place of the current one, at the same port; both must be stopped. */
  async replaceCluster(next: Cluster, port: number): Promise<void> {
    const previous = this.currentCluster;
    await next.startOn(port);
    this.currentCluster = next;
    await previous?.removeStopped();
  }

  /** The port of the first process. */
  get port(): number {
    return this.ports[0] ?? 0;
  }

  /** The current or last process on a port. */
  process(port = this.port): ServerProcess | undefined {
    return this.running.get(port);
  }

  /** Starts all processes and waits until they are ready. */
  async startAll(): Promise<void> {
    for (const port of this.ports) await this.start(port);
  }

  /** Starts the process of a port and waits until it is ready. */
  async start(port: number): Promise<void> {
    const clock = port === this.ports.at(-1) ? this.clock?.settings : undefined;
    const process = ServerProcess.spawn({ ...this.settings, ...clock, PORT: String(port) });
    this.running.set(port, process);
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
      if (ready?.ok) return;
      const exit = await Promise.race([process.exited, wait(50, undefined)]);
      if (exit) throw new Error(`the server exited during the start: ${exit.signal ?? exit.code} ${exit.output}`);
    }
  }

  async stopAll(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await Promise.all(this.ports.map((port) => this.stop(port, signal)));
  }

  async stop(port: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const exit = await this.process(port)?.stop(signal);
    if (signal === "SIGTERM" && exit?.code !== 0)
      throw new Error(`exited with ${exit?.code} on SIGTERM: ${exit?.output}`);
  }

  /** Changes the database of a running server. With an embedded database, the server is restarted around the change. */
  async changeDatabase(work: (url: string) => Promise<void>): Promise<void> {
    if (this.cluster) return work(this.cluster.url);
    await this.stopAll("SIGTERM");
    await this.withDatabase(work);
    await this.startAll();
  }

  /** Copies the database and the files while they are in use. For an embedded database, the server is stopped meanwhile. */
  async takeBackup(): Promise<void> {
    const { cluster } = this;
    if (cluster) {
      const files = filesFolder(this.folder);
      this.backup = await whileFilesStay({ folder: files, storage: new DiskStorage(files) }, async () => {
        const dump = await cluster.dump();
        await replaceFolder(this.backupFolder, files, isKept);
        return dump;
      });
    } else {
      this.backup = this.backupFolder;
      await this.stopAll("SIGTERM");
      await replaceFolder(this.backup, this.folder);
      await this.startAll();
    }
  }

  /** The copy of the files; with the embedded database, of the whole data folder. */
  private get backupFolder(): string {
    return `${this.folder}-backup`;
  }

  /** Replaces the database and the files of a stopped server by the backup. */
  async restoreBackup(): Promise<void> {
    if (this.backup === undefined) throw new Error("there is no backup");
    if (this.cluster) {
      await this.cluster.restore(this.backup);
      await replaceFolder(filesFolder(this.folder), this.backupFolder);
    } else await replaceFolder(this.folder, this.backup);
  }

  /** Makes the database read-only for all sessions, as if a standby had taken its place, or writable again. */
  async setReadOnly(isReadOnly: boolean): Promise<void> {
    if (!this.cluster) return;
    await onDatabase(this.cluster.url, async (client) => {
      await client.query("SET default_transaction_read_only = off");
      const { rows } = await client.query("SELECT current_database() AS name");
      const database = client.escapeIdentifier(rows[0].name);
      await client.query(`ALTER DATABASE ${database} SET default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
    });
  }

  /** Opens the database of a stopped server. */
  async withDatabase(work: (url: string) => Promise<void>): Promise<void> {
    const engine = await startEngine({ databaseUrl: this.cluster?.url, dataDir: this.folder });
    try {
      await work(engine.url);
    } finally {
      await engine.stop();
    }
  }

  async remove(): Promise<void> {
    await this.stopAll("SIGKILL");
    await this.redis?.kill();
    await this.cluster?.remove();
    for (const folder of [this.folder, `${this.folder}-backup`]) await rm(folder, { recursive: true, force: true });
  }
}

async function replaceFolder(folder: string, by: string, filter?: (path: string) => boolean): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(by, folder, { recursive: true, ...(filter && { filter }) });
}

/** Whether a file belongs into a backup: not those that are being received, nor the mark of a running backup. */
const isKept = (path: string): boolean => ![backupMark, "incoming"].includes(basename(path));
