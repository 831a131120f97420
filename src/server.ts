import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { SessionsEnded } from "./domain/session.ts";
import type { Bus } from "./bus/bus.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { closeRedis, connectRedis, type RedisClient } from "./bus/redis.ts";
import { RedisBus } from "./bus/redis-bus.ts";
import type { Config } from "./config/config.ts";
import type { Database } from "./db/connect.ts";
import { asAppError } from "./db/database-errors.ts";
import { type OpenDatabase, openDatabase } from "./db/open.ts";
import { changesAfter, waitForWriters } from "./db/queries/chats/changes.ts";
import { versionBefore } from "./db/queries/chats/recent-changes.ts";
import { Delivery } from "./delivery/delivery.ts";
import { asyncApiDocument } from "./docs/asyncapi.ts";
import { openApiDocument } from "./docs/openapi.ts";
import { webSocketPage } from "./docs/websocket-page.ts";
import { StartError } from "./errors.ts";
import { createHttpApp } from "./http/app.ts";
import { asksForWebSocket, withoutUpgrade } from "./http/foreign-upgrades.ts";
import { routes } from "./http/registry.ts";
import { createStartupApp } from "./http/startup-app.ts";
import type { Logger } from "./logger.ts";
import { Accounts } from "./services/accounts/accounts.ts";
import { Blocks } from "./services/people/blocks.ts";
import { pollMissedChanges } from "./jobs/missed-changes.ts";
import { ChatWriter } from "./writes/chat-transaction.ts";
import { Committer } from "./writes/commit.ts";
import { Dialogs } from "./writes/dialogs.ts";
import { Groups } from "./services/groups/groups.ts";
import { History } from "./services/messages/history.ts";
import { purgeEndedChats } from "./jobs/purge-ended-chats.ts";
import { RateLimits } from "./services/limits/rate-limits.ts";
import { ReadState } from "./services/chats/read-state.ts";
import { MessageSender } from "./writes/message-sender.ts";
import { BatchWriter } from "./writes/send-batch.ts";
import { Messages } from "./services/messages/messages.ts";
import { Passwords } from "./services/accounts/passwords.ts";
import { People } from "./services/people/people.ts";
import { PresenceStore } from "./services/presence/presence-store.ts";
import { RefreshTokens } from "./services/accounts/refresh-tokens.ts";
import { pollRevokedSessions } from "./jobs/revoked-sessions.ts";
import { readSessionsEnded, Sessions } from "./services/accounts/sessions.ts";
import { Sync } from "./services/chats/sync.ts";
import { storedSecret, Tokens } from "./services/accounts/tokens.ts";
import { FairQueue } from "./concurrency/fair-queue.ts";
import { Typing } from "./services/presence/typing.ts";
import { Connections } from "./ws/connections.ts";
import { deliverTo, Gateway, signalTo } from "./ws/gateway.ts";
import { PresenceTracker } from "./ws/presence-tracker.ts";
import { registry } from "./ws/registry.ts";
import { refuseUnready } from "./ws/upgrade.ts";

/** How long requests in progress may take when the server stops, in milliseconds. */
const shutdownGraceMs = 5000;

/** Shortest time between two equal warnings, in milliseconds. */
const warningIntervalMs = 10_000;

/** Changes by other processes are received, or found by the missed-changes job, within this time. */
const maxChangeDelayMs = 60_000;

const { version }: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** What serves clients once the database is open. */
interface EntryPoints {
  app: RequestListener;
  gateway: Gateway;
  /** Functions that stop the background jobs. */
  stopJobs: (() => void)[];
}

/** The messenger in one process: builds all parts and wires them. */
export class Messenger {
  private readonly server: Server;
  private readonly startupApp: RequestListener;
  private readonly stopping = new AbortController();
  private opened: OpenDatabase | undefined;
  private redis: RedisClient | undefined;
  private bus: Bus | undefined;
  private entryPoints: EntryPoints | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly log: Logger,
  ) {
    const { http } = config;
    this.startupApp = createStartupApp({ http, log, asAppError });
    this.server = createServer(
      {
        headersTimeout: http.headersTimeoutMs,
        requestTimeout: http.requestTimeoutMs,
        connectionsCheckingInterval: http.headersTimeoutMs / 10,
        keepAliveTimeout: http.keepAliveMs,
      },
      (request, response) => (this.entryPoints?.app ?? this.startupApp)(request, response),
    );
    this.server.maxConnections = http.maxConnections;
    this.server.on(
      "drop",
      throttled(() => log.warn(`connections are rejected: the limit is ${http.maxConnections} (MAX_CONNECTIONS)`)),
    );
    this.server.on("upgrade", (request, socket, head) => {
      if (!asksForWebSocket(request)) this.server.emit("connection", withoutUpgrade(request, socket, head));
      else if (this.entryPoints) void this.entryPoints.gateway.upgrade(request, socket, head);
      else refuseUnready(socket);
    });
  }

  /**
   * Listens, then opens the database. Resolves once both work.
   * @returns the port
   * @throws StartError that tells the operator what to do
   */
  async start(): Promise<number> {
    const port = await this.listen();
    const { databaseUrl, dataDir, databasePoolSize, databasePatience, databaseStartTimeoutMs } = this.config;
    this.opened = await openDatabase({
      databaseUrl,
      dataDir,
      poolSize: databasePoolSize,
      timeouts: databasePatience,
      startTimeoutMs: databaseStartTimeoutMs,
      log: this.log,
      signal: this.stopping.signal,
    });
    this.bus = await this.openBus();
    this.entryPoints = await this.compose(this.opened, this.bus);
    return port;
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

  private async openBus(): Promise<Bus> {
    const { config, log } = this;
    if (config.redisUrl === undefined) return new InProcessBus(log);
    this.redis = await connectRedis({ url: config.redisUrl, log, signal: this.stopping.signal });
    const bus = new RedisBus({ client: this.redis, prefix: config.redisPrefix, log });
    await bus.open();
    return bus;
  }

  private async compose({ database }: OpenDatabase, bus: Bus): Promise<EntryPoints> {
    const { config, log } = this;
    const isAlone = config.redisUrl === undefined;
    if (!config.rates) log.warn("RATE_LIMITS=off: all rate limits are disabled; for load tests only");
    const limits = new RateLimits({ rates: config.rates, redis: this.redis, prefix: config.redisPrefix });
    const connections = new Connections({ maxPerUser: config.maxSocketsPerUser });
    const presence = new PresenceTracker({ connections, presences: new PresenceStore({ database }), bus, log });
    const pushToDevices = deliverTo(connections);
    const delivery = new Delivery({
      store: {
        changesAfter: (chatId, after, limit) => changesAfter(database, { chatId, after, limit }),
        waitForWriters: (chatId) => waitForWriters(database, chatId),
        ...(!isAlone && { startVersion: startVersionAmongProcesses(database) }),
      },
      bus,
      deliver: (change) => {
        pushToDevices(change);
        presence.changed(change);
      },
      deliverSignal: signalTo(connections),
      log,
    });

    const secret = config.jwtSecret ?? (await storedSecret(config.dataDir));
    const sessions = new Sessions({
      database,
      tokens: new Tokens({ secret, lifetimeSeconds: config.tokenLifetimeSeconds }),
      refreshTokens: new RefreshTokens(secret),
      refreshLifetimeMs: config.refreshTokenLifetimeSeconds * 1000,
      onEnded: endSessionsEverywhere(connections, bus),
    });
    const { cost, atATime: concurrency, mostWaiting: maxQueued } = config.passwords;
    const passwords = new Passwords({ cost, concurrency, maxQueued });
    const committer = new Committer({ database, delivery });
    const chatWriter = new ChatWriter({ database, committer });
    const accounts = new Accounts({ database, passwords, limits, sessions, chatWriter });
    const people = new People({ database });
    const readState = new ReadState({ database, delivery });
    const blocks = new Blocks({ database, chatWriter, readState, onChange: presence.blockChanged });
    const groups = new Groups({ database, chatWriter, maxMembers: config.maxGroupMembers });
    const dialogs = new Dialogs({ database, chatWriter });
    const batches = new BatchWriter({ database, dialogs, committer });
    const sender = new MessageSender({ batches, concurrency: sendConcurrency(config) });
    const messages = new Messages({ database, chatWriter, sender });
    const history = new History({ database });
    const typing = new Typing({ database, delivery });
    const sync = new Sync({ database });

    const isOpen = () => !this.stopping.signal.aborted;
    const messageTypes = [...registry.values()];
    const app = createHttpApp({
      services: { accounts, sessions, people, blocks },
      documents: {
        openApi: openApiDocument(routes, version),
        asyncApi: asyncApiDocument(messageTypes, version),
        webSocketPage: webSocketPage(messageTypes),
      },
      isReady: async () => isOpen() && (await responds(database)),
      limits,
      http: config.http,
      trustedProxyHops: config.trustedProxyHops,
      allowedOrigins: config.allowedOrigins,
      asAppError,
      log,
    });
    const gateway = new Gateway({
      connections,
      services: { messages, groups, history, readState, typing, sync },
      presence,
      sessions,
      limits,
      turns: new FairQueue(readConcurrency(config)),
      maxSockets: config.maxSockets,
      trustedProxyHops: config.trustedProxyHops,
      allowedOrigins: config.allowedOrigins,
      socketLimits: config.socketLimits,
      isOpen,
      asAppError,
      log,
    });
    const stopJobs = [
      pollRevokedSessions({ database, onEnded: connections.endSessions, log }),
      purgeEndedChats({ database, log }),
      ...(isAlone ? [] : [pollMissedChanges({ database, delivery, log })]),
      () => delivery.stop(),
    ];
    return { app, gateway, stopJobs };
  }

  private listen(): Promise<number> {
    const { host, port } = this.config;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "it is in use" : error.message;
        reject(
          new StartError(
            `Port ${port} of ${host} cannot be used: ${reason}. Set PORT to another one, or to 0 for a free one.`,
          ),
        );
      };
      this.server.once("error", fail).listen({ host, port }, () => {
        this.server.off("error", fail).on("error", this.logFailedAccept);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** For example if no file descriptors are left; existing connections continue. */
  private readonly logFailedAccept = throttled((error: Error) =>
    this.log.error({ err: error }, "a connection could not be accepted"),
  );

  private async shutDown(): Promise<void> {
    this.stopping.abort();
    await this.entryPoints?.gateway.stop();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    await Promise.race([closed, wait(shutdownGraceMs, undefined, { ref: false })]);
    this.server.closeAllConnections();
    for (const stop of this.entryPoints?.stopJobs ?? []) stop();
    await this.bus?.close();
    if (this.redis) await closeRedis(this.redis);
    await this.opened?.close();
  }
}

/** Wraps a function that logs a warning, so that a flood of causes does not flood the log. */
function throttled<Args extends unknown[]>(warn: (...args: Args) => void): (...args: Args) => void {
  let silentUntil = 0;
  return (...args) => {
    if (performance.now() < silentUntil) return;
    silentUntil = performance.now() + warningIntervalMs;
    warn(...args);
  };
}

/** Closes the sockets of ended sessions on this process and, through the bus, on all others. */
function endSessionsEverywhere(connections: Connections, bus: Bus): (ended: SessionsEnded) => void {
  bus.subscribe("sessionsEnded", (body) => {
    const ended = readSessionsEnded(body);
    if (ended) connections.endSessions(ended);
  });
  return (ended) => {
    bus.publish("sessionsEnded", ended);
    connections.endSessions(ended);
  };
}

/**
 * The version from which delivery publishes a chat it does not remember: before the changes since the start of this
 * process, but not further back than changes by other processes can be late.
 */
function startVersionAmongProcesses(database: Database): (chatId: number) => Promise<number> {
  const since = Date.now();
  return (chatId) =>
    versionBefore(database, { chatId, seconds: Math.min(Date.now() - since, maxChangeDelayMs) / 1000 });
}

/** Half of the connections are left to writes. */
const readConcurrency = ({ databaseUrl, databasePoolSize }: Config): number =>
  databaseUrl === undefined ? 1 : Math.ceil(databasePoolSize / 2);

/** The embedded database has one connection, and all requests wait for it while a transaction is open. */
const sendConcurrency = ({ databaseUrl, databasePoolSize }: Config): number =>
  databaseUrl === undefined || databasePoolSize < 4 ? 1 : 2;

const responds = (database: Database): Promise<boolean> =>
  database.query("SELECT 1").then(
    () => true,
    () => false,
  );
