import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startEngine } from "../../src/db/open.ts";
import { Cluster, freePort } from "../support/cluster.ts";
import { ServerProcess } from "../support/process.ts";

/** A real server process with a database of its own, to be killed and started again. */
export class ServerUnderTest {
  process: ServerProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly cluster: Cluster | undefined,
    readonly port: number,
    private readonly settings: Record<string, string>,
  ) {}

  /** @param options.entry the `main.js` to run instead of the one that is built here */
  static async make(options: {
    database: "embedded" | "server";
    entry?: string;
    settings?: Record<string, string>;
  }): Promise<ServerUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), "messenger-chaos-"));
    const cluster = options.database === "server" ? await Cluster.make() : undefined;
    await cluster?.start();
    const settings = {
      DATA_DIR: folder,
      LOG_LEVEL: "warn",
      RATE_LIMITS: "off",
      ...(cluster && { DATABASE_URL: cluster.url }),
      ...(options.entry && { MESSENGER_ENTRY: options.entry }),
      ...options.settings,
    };
    return new ServerUnderTest(folder, cluster, await freePort(), settings);
  }

  /** Starts the process and waits until it serves. */
  async start(): Promise<void> {
    this.process = ServerProcess.spawn({ ...this.settings, PORT: String(this.port) });
    for (;;) {
      const ready = await fetch(`http://127.0.0.1:${this.port}/health/ready`).catch(() => undefined);
      if (ready?.ok) return;
      const ended = await Promise.race([this.process.ended, wait(50, undefined)]);
      if (ended) throw new Error(`the server ended while starting: ${ended.output}`);
    }
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const ended = await this.process?.end(signal);
    if (signal === "SIGTERM" && ended?.code !== 0)
      throw new Error(`SIGTERM ended with ${ended?.code}: ${ended?.output}`);
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
    await this.process?.end("SIGKILL");
    await this.cluster?.remove();
    await rm(this.folder, { recursive: true, force: true });
  }
}
