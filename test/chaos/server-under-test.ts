import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startEngine } from "../../src/db/open.ts";
import { Cluster, freePort } from "../support/cluster.ts";
import { ServerProcess } from "../support/process.ts";
import { TestRedis } from "../support/redis.ts";

/** Real server processes with a database of their own, to be killed and started again; one, unless told otherwise. */
export class ServerUnderTest {
  private readonly running = new Map<number, ServerProcess>();

  private constructor(
    private readonly folder: string,
    readonly cluster: Cluster | undefined,
    /** Between the processes, where they are several. */
    readonly redis: TestRedis | undefined,
    /** One for each process. */
    readonly ports: readonly number[],
    private readonly settings: Record<string, string>,
  ) {}

  /** @param options.entry the `main.js` to run instead of the one that is built here */
  static async make(options: {
    database: "embedded" | "server";
    processes?: number;
    entry?: string;
    settings?: Record<string, string>;
  }): Promise<ServerUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), "messenger-chaos-"));
    const cluster = options.database === "server" ? await Cluster.create() : undefined;
    await cluster?.start();
    const processes = options.processes ?? 1;
    const redis = processes > 1 ? await TestRedis.start() : undefined;
    const ports = await Promise.all(Array.from({ length: processes }, freePort));
    const settings = {
      DATA_DIR: folder,
      LOG_LEVEL: "warn",
      RATE_LIMITS: "off",
      ...(cluster && { DATABASE_URL: cluster.url }),
      ...(redis && { REDIS_URL: redis.url }),
      ...(options.entry && { MESSENGER_ENTRY: options.entry }),
      ...options.settings,
    };
    return new ServerUnderTest(folder, cluster, redis, ports, settings);
  }

  /** Of the first process. */
  get port(): number {
    return this.ports[0] ?? 0;
  }

  /** The process that runs, or ran last, on a port. */
  process(port = this.port): ServerProcess | undefined {
    return this.running.get(port);
  }

  /** Starts every process and waits until they serve. */
  async startAll(): Promise<void> {
    for (const port of this.ports) await this.start(port);
  }

  /** Starts the process of a port and waits until it serves. */
  async start(port: number): Promise<void> {
    const process = ServerProcess.spawn({ ...this.settings, PORT: String(port) });
    this.running.set(port, process);
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
      if (ready?.ok) return;
      const ended = await Promise.race([process.exited, wait(50, undefined)]);
      if (ended) throw new Error(`the server ended while starting: ${ended.signal ?? ended.code} ${ended.output}`);
    }
  }

  async endAll(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await Promise.all(this.ports.map((port) => this.end(port, signal)));
  }

  async end(port: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const ended = await this.process(port)?.stop(signal);
    if (signal === "SIGTERM" && ended?.code !== 0)
      throw new Error(`SIGTERM ended with ${ended?.code}: ${ended?.output}`);
  }

  /** Lets someone change the database of a server that runs; an embedded one only while it is stopped. */
  async change(work: (url: string) => Promise<void>): Promise<void> {
    if (this.cluster) return work(this.cluster.url);
    await this.endAll("SIGTERM");
    await this.withDatabase(work);
    await this.startAll();
  }

  /** Lets someone look at the database of a server that is stopped. */
  async withDatabase(look: (url: string) => Promise<void>): Promise<void> {
    const engine = await startEngine({ databaseUrl: this.cluster?.url, dataDir: this.folder });
    try {
      await look(engine.url);
    } finally {
      await engine.stop();
    }
  }

  async remove(): Promise<void> {
    await this.endAll("SIGKILL");
    await this.redis?.kill();
    await this.cluster?.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
