import { removeLeftCopy } from "./backup/embedded-backup.ts";
import type { Bus } from "./bus/bus.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import type { Redis } from "./bus/redis.ts";
import { FairQueue, type FairQueues } from "./concurrency/fair-queue.ts";
import type { Config } from "./config/settings.ts";
import { asAppError } from "./db/database-errors.ts";
import { type OpenDatabase, openDatabase } from "./db/open.ts";
import { type PoolShares, poolShares } from "./db/pool-shares.ts";
import { filesOnDisk } from "./file-parts.ts";
import { HttpListener } from "./http/http-listener.ts";
import type { Readiness } from "./http/routers/health.ts";
import { createStartupApp } from "./http/startup-app.ts";
import { backUpRegularly } from "./jobs/automatic-backups.ts";
import { ProcessRegistry } from "./jobs/process-registry.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { composeRuntime, type Runtime } from "./runtime.ts";
import { createMetrics, listenForScrapes } from "./server-metrics.ts";
import { busState, migrationState, noAdministrator, readinessOf, startSummary } from "./server-status.ts";
import { findStoredSecret } from "./services/accounts/tokens.ts";
import type { Administration } from "./services/administration/compose-administration.ts";
import { version } from "./version.ts";
import { Connections } from "./ws/connections.ts";
import { rejectNotReady } from "./ws/upgrade.ts";

/** The messenger in one process: its start, its state and its stop. `runtime.ts` builds its parts. */
export class Messenger {
  private readonly listener: HttpListener;
  /** Undefined if they are off. */
  private readonly metrics: Metrics | undefined;
  private metricsListener: HttpListener | undefined;
  private readonly stopping = new AbortController();
  /** Whether other processes may use the database, now or later: a server has many clients, an embedded one has one. */
  private readonly isSharedDatabase: boolean;
  private readonly poolShares: PoolShares;
  private readonly fairQueues: FairQueues;
  /** On which it listens. */
  private port = 0;
  private opened: OpenDatabase | undefined;
  private stopListeningForCommands: (() => Promise<void>) | undefined;
  private stopBackups: (() => void) | undefined;
  /** The state of the database until it is open. */
  private waitingState = "starting";
  /** As they were when the database answered last. */
  private migrations = "not checked yet";
  private processes: ProcessRegistry | undefined;
  private redis: Redis | undefined;
  private bus: Bus | undefined;
  private runtime: Runtime | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly log: Logger,
    private readonly options: {
      /** Runs the commands of other processes on the data folder. @returns a function that ends it */
      listenForCommands?: (
        dataDir: string,
        context: Pick<OpenDatabase, "database" | "copyData"> & {
          config: Config;
          administration: Administration;
          log: Logger;
          noteViolations?: Metrics["noteViolations"];
        },
      ) => Promise<() => Promise<void>>;
    } = {},
  ) {
    this.isSharedDatabase = config.database.url !== undefined;
    this.poolShares = poolShares({ embedded: config.database.url === undefined, poolSize: config.database.poolSize });
    const { reads, changes } = this.poolShares;
    this.fairQueues = { reads: new FairQueue(reads), changes: new FairQueue(changes) };
    this.metrics = createMetrics(config, version);
    const { metrics } = this;
    const startupApp = createStartupApp({
      http: config.http,
      log,
      metrics,
      findReadiness: this.findReadiness,
      asAppError,
    });
    this.listener = new HttpListener({
      limits: config.http,
      onRequest: (request, response) => (this.runtime?.app ?? startupApp)(request, response),
      onWebSocketUpgrade: async (request, socket, head) => {
        if (this.runtime) return this.runtime.gateway.upgrade(request, socket, head);
        rejectNotReady(request, socket, { log, trustedProxyHops: config.http.trustedProxyHops, metrics });
        return false;
      },
      log,
      metrics,
    });
  }

  /**
   * Listens, then opens the database. Resolves once both work.
   * @returns the port
   * @throws StartError that tells the operator what to do
   */
  async start(): Promise<number> {
    this.port = await this.listener.listen(this.config.http);
    this.metricsListener = await this.listenForScrapes();
    this.opened = await this.openDatabase();
    this.migrations = "ok";
    this.bus = await this.openBus();
    this.runtime = await this.compose(this.opened, this.bus);
    this.stopListeningForCommands = await this.listenForCommands(this.opened, this.runtime);
    this.stopBackups = await this.startBackups(this.opened);
    this.log.info(startSummary(this.config, { version, database: this.opened.description }));
    if (await this.hasNoAdministrator()) this.log.info(noAdministrator);
    return this.port;
  }

  /** After `start`: the link with which the first administrator creates their account; undefined if there is one. */
  async makeSetupLink(): Promise<string | undefined> {
    if (!(await this.hasNoAdministrator())) return undefined;
    return (await this.runtime?.administration.setupLink.make())?.url;
  }

  /** False also if the server is being stopped meanwhile, and with it the database. */
  private async hasNoAdministrator(): Promise<boolean> {
    try {
      return (await this.runtime?.administration.setupLink.isNeeded()) === true;
    } catch (error) {
      if (!this.isOpen()) return false;
      throw error;
    }
  }

  /** After `start`: resolves with the reason if the messenger cannot continue. */
  get died(): Promise<Error> {
    return this.opened?.died ?? new Promise(() => {});
  }

  /** Accepts nothing new, answers the requests in progress, closes all sockets (1012), the port and the database. */
  stop(): Promise<void> {
    this.stopped ??= this.shutDown();
    return this.stopped;
  }

  private async shutDown(): Promise<void> {
    this.stopping.abort();
    await this.runtime?.gateway.stop();
    await this.listener.close();
    await this.metricsListener?.close();
    await this.stopListeningForCommands?.();
    this.stopBackups?.();
    for (const stop of this.runtime?.stopJobs ?? []) stop();
    await this.runtime?.mailSender?.stop();
    await this.bus?.close();
    await this.redis?.close();
    await this.opened?.close();
  }

  private async listenForScrapes(): Promise<HttpListener | undefined> {
    const { config, log, metrics } = this;
    const { port } = config.metrics;
    if (!metrics || port === undefined) return undefined;
    return listenForScrapes({ metrics, config, port, asAppError, log });
  }

  private openDatabase(): Promise<OpenDatabase> {
    const { config, log, metrics } = this;
    return openDatabase({
      databaseUrl: config.database.url,
      dataDir: config.server.dataDir,
      poolSize: config.database.poolSize,
      timeouts: config.database.timeouts,
      startTimeoutMs: config.database.startTimeoutMs,
      log,
      signal: this.stopping.signal,
      observeQuery: metrics && ((name, seconds) => metrics.querySeconds.observe(name, seconds)),
      onUnavailable: () => {
        this.waitingState = "unavailable";
      },
    });
  }

  /** The embedded database belongs to this process, so it runs the commands of the administrator. */
  private async listenForCommands(
    { database, copyData }: OpenDatabase,
    { administration }: Runtime,
  ): Promise<(() => Promise<void>) | undefined> {
    const { config, log, metrics } = this;
    if (this.isSharedDatabase) return undefined;
    return this.options.listenForCommands?.(config.server.dataDir, {
      config,
      database,
      copyData,
      administration,
      log,
      ...(metrics && { noteViolations: metrics.noteViolations }),
    });
  }

  /** An embedded database is backed up by its server: what a killed backup has left is removed, and the next ones start. */
  private async startBackups({ copyData }: OpenDatabase): Promise<(() => void) | undefined> {
    const { config, log } = this;
    const { dataDir } = config.server;
    const { everyMs, keep } = config.backups;
    if (!copyData) return undefined;
    await removeLeftCopy(dataDir);
    if (everyMs === undefined) return undefined;
    const findSecret = async () => (config.tokens.secret === undefined ? findStoredSecret(dataDir) : undefined);
    const files = await filesOnDisk(config);
    return backUpRegularly({ dataDir, everyMs, keep, copyData, version, files, findSecret, log });
  }

  private async openBus(): Promise<Bus> {
    const { config, log, metrics } = this;
    const { url, prefix } = config.redis;
    if (url === undefined) return new InProcessBus(log);
    // Loaded only where Redis is used, to start faster.
    const [{ Redis }, { RedisBus }] = await Promise.all([import("./bus/redis.ts"), import("./bus/redis-bus.ts")]);
    this.redis = await Redis.connect({ url, prefix, log, signal: this.stopping.signal });
    const bus = new RedisBus({ redis: this.redis, prefix, log, metrics });
    await bus.open();
    return bus;
  }

  private compose(opened: OpenDatabase, bus: Bus): Promise<Runtime> {
    const { config, log, metrics, isSharedDatabase, fairQueues, redis } = this;
    const { enabled, maxSocketsPerUser } = config.limits;
    const connections = new Connections({ maxPerUser: enabled ? maxSocketsPerUser : Number.POSITIVE_INFINITY });
    const countSockets = () => connections.count;
    const { database } = opened;
    if (isSharedDatabase) {
      this.processes = new ProcessRegistry({ database, hasRedis: redis !== undefined, countSockets, log });
    }
    return composeRuntime({
      config,
      log,
      metrics,
      opened,
      isSharedDatabase,
      sendConcurrency: this.poolShares.sends,
      fairQueues,
      bus,
      redis,
      processes: this.processes,
      connections,
      port: this.port,
      isOpen: this.isOpen,
      isBusUp: () => this.busState() === "ok",
      findReadiness: this.findReadiness,
    });
  }

  private readonly findReadiness = async (): Promise<Readiness> => {
    const { opened } = this;
    const database = opened ? await opened.availability.findState() : this.waitingState;
    if (opened && database === "ok") this.migrations = (await migrationState(opened.database)) ?? this.migrations;
    return readinessOf({
      server: this.isOpen() ? (this.runtime ? "ok" : "starting") : "stopping",
      database,
      migrations: this.migrations,
      bus: this.busState(),
      redis: this.redisState(),
    });
  };

  private busState(): string {
    return busState({ warning: this.processes?.warning, redis: this.redisState() });
  }

  /** What strangers may know about Redis: the log says why it is unavailable. Undefined if there is none. */
  private redisState(): string | undefined {
    if (this.config.redis.url === undefined) return undefined;
    if (!this.redis) return "starting";
    return this.redis.status() === "ok" ? "ok" : "unavailable";
  }

  /** Whether new requests and sockets are accepted. */
  private readonly isOpen = (): boolean => !this.stopping.signal.aborted;
}
