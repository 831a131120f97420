import type { RequestListener } from "node:http";
import { removeLeftCopy } from "./backup/embedded-backup.ts";
import type { Bus } from "./bus/bus.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { Redis } from "./bus/redis.ts";
import { RedisBus } from "./bus/redis-bus.ts";
import { FairQueue, type FairQueues } from "./concurrency/fair-queue.ts";
import { mailMode } from "./config/mail-mode.ts";
import type { Config } from "./config/settings.ts";
import type { Database } from "./db/connect.ts";
import { asAppError, isOutage } from "./db/database-errors.ts";
import type { EpochMonitor } from "./db/epoch-monitor.ts";
import { type OpenDatabase, openDatabase } from "./db/open.ts";
import { type PoolShares, poolShares } from "./db/pool-shares.ts";
import { changesAfter, changesOfChats, waitForWriters } from "./db/queries/chats/changes.ts";
import { chatVersions } from "./db/queries/chats/dialogs.ts";
import { currentMark, versionsBefore } from "./db/queries/chats/recent-changes.ts";
import { Delivery } from "./delivery/delivery.ts";
import { StoreMarks } from "./delivery/store-marks.ts";
import { generateDocuments } from "./docs/documents.ts";
import { createHttpApp } from "./http/app.ts";
import { HttpListener } from "./http/http-listener.ts";
import type { Readiness } from "./http/routers/health.ts";
import { createStartupApp } from "./http/startup-app.ts";
import { backUpRegularly } from "./jobs/automatic-backups.ts";
import { followEpoch } from "./jobs/epoch.ts";
import { eraseMessages } from "./jobs/erase-messages.ts";
import { pollMissedChanges } from "./jobs/missed-changes.ts";
import { ProcessRegistry } from "./jobs/process-registry.ts";
import { purgeAdministration } from "./jobs/purge-administration.ts";
import { purgeEndedChats } from "./jobs/purge-ended-chats.ts";
import { purgeOldSessions } from "./jobs/purge-sessions.ts";
import { removeReactionsOfDeletedAccounts } from "./jobs/remove-reactions.ts";
import { pollRevokedSessions } from "./jobs/revoked-sessions.ts";
import { sendMails } from "./jobs/send-mails.ts";
import type { Logger } from "./logger.ts";
import { openMailTransport } from "./mail/open-transport.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { createMetrics, listenForScrapes, mainPortToken, setGauges } from "./server-metrics.ts";
import { busState, migrationState, noAdministrator, readinessOf, serverInfo, startSummary } from "./server-status.ts";
import { issueMailedToken } from "./services/accounts/issue-invite.ts";
import { endSessionsEverywhere } from "./services/accounts/session-topics.ts";
import { findStoredSecret, storedSecret } from "./services/accounts/tokens.ts";
import type { Administration } from "./services/administration/compose-administration.ts";
import { composeServices, type Services } from "./services/compose-services.ts";
import { RateLimits } from "./services/limits/rate-limits.ts";
import { type IssueInviteToken, MailSender } from "./services/mail/mail-sender.ts";
import { type MakePageLink, pageLinks } from "./services/page-links.ts";
import { PresenceStore } from "./services/presence/presence-store.ts";
import { PresenceTracker } from "./services/presence/presence-tracker.ts";
import { version } from "./version.ts";
import type { ReadStartVersions } from "./writes/commit.ts";
import type { Connection } from "./ws/connection.ts";
import { Connections } from "./ws/connections.ts";
import { deliverChangesTo, deliverSignalsTo } from "./ws/fan-out.ts";
import { Gateway } from "./ws/gateway.ts";
import { pushPresence } from "./ws/presence-push.ts";
import { socketLimits } from "./ws/socket-limits.ts";
import { rejectNotReady } from "./ws/upgrade.ts";

/** The parts that everything else is built on. */
interface Core {
  database: Database;
  epoch: EpochMonitor;
  bus: Bus;
  limits: RateLimits;
  connections: Connections;
  presence: PresenceTracker<Connection>;
  delivery: Delivery;
  readStartVersions: ReadStartVersions;
  marks: StoreMarks;
}

/** What runs once the database is open. */
interface Runtime {
  app: RequestListener;
  gateway: Gateway;
  /** Undefined if no mail is sent. */
  mailSender: MailSender | undefined;
  administration: Administration;
  stopJobs: (() => void)[];
}

/** The messenger in one process. Builds all parts and wires them, starts them and stops them. */
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
    if (await this.runtime.administration.setupLink.isNeeded()) this.log.info(noAdministrator);
    return this.port;
  }

  /** After `start`: the link with which the first administrator creates their account; undefined if there is one. */
  async makeSetupLink(): Promise<string | undefined> {
    const setupLink = this.runtime?.administration.setupLink;
    return (await setupLink?.isNeeded()) ? (await setupLink?.make())?.url : undefined;
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
    return backUpRegularly({ dataDir, everyMs, keep, copyData, version, findSecret, log });
  }

  private async openBus(): Promise<Bus> {
    const { config, log, metrics } = this;
    const { url, prefix } = config.redis;
    if (url === undefined) return new InProcessBus(log);
    this.redis = await Redis.connect({ url, prefix, log, signal: this.stopping.signal });
    const bus = new RedisBus({ redis: this.redis, prefix, log, metrics });
    await bus.open();
    return bus;
  }

  private async compose({ database, epoch }: OpenDatabase, bus: Bus): Promise<Runtime> {
    const marks = new StoreMarks(await currentMark(database));
    const core = this.composeCore({ database, epoch, bus, marks });
    const services = await this.composeServices(core);
    const mailSender = this.composeMailSender(database);
    if (this.metrics) setGauges(this.metrics, { ...core, services, isBusUp: () => this.busState() === "ok" });
    return {
      app: this.composeHttp(core, services),
      gateway: this.composeGateway(core, services),
      mailSender,
      administration: services.administration,
      stopJobs: this.startJobs(core, services, mailSender),
    };
  }

  private composeCore({ database, epoch, bus, marks }: Pick<Core, "database" | "epoch" | "bus" | "marks">): Core {
    const { config, log, redis, metrics } = this;
    const { enabled, rates, maxSocketsPerUser } = config.limits;
    if (!enabled) log.warn("RATE_LIMITS=off: all rate limits are disabled; for load tests only");
    const { prefix } = config.redis;
    const limits = new RateLimits({ rates: enabled ? rates : undefined, redis, prefix, metrics });
    const connections = new Connections({ maxPerUser: enabled ? maxSocketsPerUser : Number.POSITIVE_INFINITY });
    const store = new PresenceStore({ database });
    const presence = new PresenceTracker({ connections, store, bus, notify: pushPresence, log });
    const pushToDevices = deliverChangesTo(connections);
    const readStartVersions: ReadStartVersions = (chatIds, transaction) =>
      this.isSharedDatabase
        ? versionsBefore(database, chatIds, marks.delivered, transaction)
        : chatVersions(database, chatIds, transaction);
    const delivery = new Delivery({
      store: {
        changesAfter: (gap, limit) => changesAfter(database, { ...gap, limit }),
        changesOfChats: (gaps, limit) => changesOfChats(database, gaps, limit),
        waitForWriters: (chatId) => waitForWriters(database, chatId),
        isOutage,
        ...(this.isSharedDatabase && { startVersions: readStartVersions }),
      },
      bus,
      deliver: (change) => {
        pushToDevices(change);
        presence.changeCommitted(change);
      },
      deliverSignal: deliverSignalsTo(connections),
      metrics,
      log,
    });
    return { database, epoch, bus, limits, connections, presence, delivery, readStartVersions, marks };
  }

  private async composeServices({
    database,
    epoch,
    bus,
    limits,
    connections,
    presence,
    delivery,
    readStartVersions,
  }: Core): Promise<Services> {
    const { config, log } = this;
    return composeServices({
      database,
      delivery,
      readStartVersions,
      limits,
      secrets: {
        secret: config.tokens.secret ?? (await storedSecret(config.server.dataDir)),
        previousSecret: config.tokens.previousSecret,
      },
      tokenLifetimeSeconds: config.tokens.lifetimeSeconds,
      refreshLifetimeMs: config.tokens.refreshLifetimeMs,
      maxSessionsPerUser: config.limits.maxSessionsPerUser,
      passwords: config.passwords,
      maxGroupMembers: config.limits.maxGroupMembers,
      registration: config.registration,
      serverName: config.web.serverName,
      makeLink: this.pageLinks(),
      mail: {
        isAvailable: mailMode(config) !== "none",
        requiresVerification: config.mail.verification === "required",
      },
      noteEpoch: epoch.note,
      sendConcurrency: this.poolShares.sends,
      changes: this.fairQueues.changes,
      onSessionsEnded: endSessionsEverywhere(bus, connections.endSessions),
      onBlockChange: presence.blockChanged,
      countSockets: () => connections.count + (this.processes?.socketsElsewhere ?? 0),
      metrics: this.metrics,
      log,
    });
  }

  private pageLinks(): MakePageLink {
    const { server, web, http } = this.config;
    const isProduction = server.environment === "production";
    return pageLinks({ publicUrl: web.publicUrl, isProduction, host: http.host, port: this.port });
  }

  private composeMailSender(database: Database): MailSender | undefined {
    const { config, log } = this;
    const { serverName } = config.web;
    const transport = openMailTransport({
      mode: mailMode(config),
      smtpUrl: config.mail.smtpUrl,
      dataDir: config.server.dataDir,
      from: { name: serverName, address: config.mail.from },
    });
    if (!transport) return undefined;
    const issueInviteToken: IssueInviteToken = (id, transaction) => issueMailedToken(database, id, transaction);
    return new MailSender({ database, transport, serverName, makeLink: this.pageLinks(), issueInviteToken, log });
  }

  private composeHttp({ limits, epoch }: Core, services: Services): RequestListener {
    const { config, log } = this;
    return createHttpApp({
      services: { ...services, describeServer: () => serverInfo(config, { version, epoch: epoch.current ?? "" }) },
      documents: generateDocuments(version),
      findReadiness: this.findReadiness,
      fairQueues: this.fairQueues,
      limits,
      http: config.http,
      web: config.web,
      trustedProxyHops: config.http.trustedProxyHops,
      allowedOrigins: config.http.allowedOrigins,
      asAppError,
      metrics: this.metrics,
      metricsToken: mainPortToken(config),
      log,
    });
  }

  private composeGateway({ connections, presence, limits }: Core, services: Services): Gateway {
    const { config, log } = this;
    return new Gateway({
      connections,
      services,
      presence,
      sessions: services.sessions,
      requireVerified: (userId) => services.verification.requireVerified(userId),
      limits,
      fairQueues: this.fairQueues,
      maxSockets: config.limits.maxSockets,
      trustedProxyHops: config.http.trustedProxyHops,
      allowedOrigins: config.http.allowedOrigins,
      socketLimits: socketLimits({ ...config.slowClients, closesFloods: config.limits.enabled }),
      isAccepting: this.isOpen,
      asAppError,
      metrics: this.metrics,
      log,
    });
  }

  private startJobs(
    { database, epoch, connections, delivery, marks }: Core,
    { erasure, reactions, resetCaches, stop: stopServices }: Services,
    mailSender: MailSender | undefined,
  ): (() => void)[] {
    const { log } = this;
    const { refreshLifetimeMs, lifetimeSeconds } = this.config.tokens;
    return [
      pollRevokedSessions({ database, onEnded: connections.endSessions, log }),
      purgeEndedChats({ database, log }),
      purgeAdministration({ database, auditRetentionMs: this.config.administration.auditRetentionMs, log }),
      eraseMessages({ eraseSome: () => erasure.eraseSome(), log }),
      removeReactionsOfDeletedAccounts({ removeSome: () => reactions.removeSomeOfDeleted(), log }),
      purgeOldSessions({ database, lifetimeMs: Math.max(refreshLifetimeMs, lifetimeSeconds * 1000), log }),
      followEpoch({ database, epoch, marks, delivery, resetCaches, disconnectAll: connections.restartAll, log }),
      ...(mailSender ? [sendMails({ database, sendNext: () => mailSender.sendNext(), log })] : []),
      ...(this.isSharedDatabase
        ? [pollMissedChanges({ database, delivery, marks, log }), this.registerProcess(database, connections)]
        : []),
      () => delivery.stop(),
      stopServices,
    ];
  }

  private registerProcess(database: Database, connections: Connections): () => void {
    this.processes = new ProcessRegistry({
      database,
      hasRedis: this.redis !== undefined,
      countSockets: () => connections.count,
      log: this.log,
    });
    return this.processes.start();
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
