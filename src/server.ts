import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { SessionsEnded } from "./domain/session.ts";
import type { Bus } from "./bus/bus.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { closeRedis, connectRedis, type RedisClient } from "./bus/redis.ts";
import { RedisBus } from "./bus/redis-bus.ts";
import type { Config } from "./config/settings.ts";
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
import { PresenceTracker } from "./services/presence/presence-tracker.ts";
import { RefreshTokens } from "./services/accounts/refresh-tokens.ts";
import { pollRevokedSessions } from "./jobs/revoked-sessions.ts";
import { readSessionsEnded, Sessions } from "./services/accounts/sessions.ts";
import { Sync } from "./services/chats/sync.ts";
import { storedSecret, Tokens } from "./services/accounts/tokens.ts";
import { FairQueue } from "./concurrency/fair-queue.ts";
import { Typing } from "./services/presence/typing.ts";
import { Connections } from "./ws/connections.ts";
import { deliverChangesTo, deliverSignalsTo } from "./ws/fan-out.ts";
import { Gateway } from "./ws/gateway.ts";
import { pushPresence } from "./ws/presence-push.ts";
import { registry } from "./ws/registry.ts";
import { socketLimits } from "./ws/socket-limits.ts";
import { rejectNotReady } from "./ws/upgrade.ts";

/** How long requests under way may take when the server stops, before they are cut off. */
const lastRequestsMs = 5000;

/** How long one complaint about refused connections stands for all of them. */
const quietMs = 10_000;

/** Changes older than this have been heard of, or found by the look at the database. */
const latestNewsMs = 60_000;

const { version }: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The two ways in, made once the database is there. */
interface Edges {
  app: RequestListener;
  gateway: Gateway;
  /** What runs beside them: each is stopped by calling it. */
  chores: (() => void)[];
}

/** The whole messenger in one process: the one place that knows every part. */
export class Messenger {
  private readonly server: Server;
  private readonly waitingApp: RequestListener;
  private readonly stopping = new AbortController();
  private opened: OpenDatabase | undefined;
  private redis: RedisClient | undefined;
  private bus: Bus | undefined;
  private edges: Edges | undefined;
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly config: Config,
    private readonly log: Logger,
  ) {
    const { http } = config;
    this.waitingApp = createStartupApp({ http, log, asAppError });
    this.server = createServer(
      {
        headersTimeout: http.headersTimeoutMs,
        requestTimeout: http.requestTimeoutMs,
        connectionsCheckingInterval: http.headersTimeoutMs / 10,
        keepAliveTimeout: http.keepAliveMs,
      },
      (request, response) => (this.edges?.app ?? this.waitingApp)(request, response),
    );
    this.server.maxConnections = http.maxConnections;
    this.server.on(
      "drop",
      sparingly(() => log.warn(`connections are refused: there are ${http.maxConnections} (MAX_CONNECTIONS)`)),
    );
    this.server.on("upgrade", (request, socket, head) => {
      if (!asksForWebSocket(request)) this.server.emit("connection", withoutUpgrade(request, socket, head));
      else if (this.edges) void this.edges.gateway.upgrade(request, socket, head);
      else rejectNotReady(socket);
    });
  }

  /**
   * Listens, then opens the database; settles when both work.
   * @returns the port
   * @throws StartError saying what to do
   */
  async start(): Promise<number> {
    const port = await this.listen();
    const { database, server } = this.config;
    this.opened = await openDatabase({
      databaseUrl: database.url,
      dataDir: server.dataDir,
      poolSize: database.poolSize,
      timeouts: database.timeouts,
      startTimeoutMs: database.startTimeoutMs,
      log: this.log,
      signal: this.stopping.signal,
    });
    this.bus = await this.openBus();
    this.edges = await this.compose(this.opened, this.bus);
    return port;
  }

  /** Settles when the messenger cannot go on, with the reason; never while all is well. Only after `start`. */
  get died(): Promise<Error> {
    return this.opened?.died ?? new Promise(() => {});
  }

  /** Answers what was asked, tells every socket to come back, and lets go of port and database. Lets nobody new in. */
  stop(): Promise<void> {
    this.stopped ??= this.windDown();
    return this.stopped;
  }

  private async openBus(): Promise<Bus> {
    const { config, log } = this;
    if (config.redis.url === undefined) return new InProcessBus(log);
    this.redis = await connectRedis({ url: config.redis.url, log, signal: this.stopping.signal });
    const bus = new RedisBus({ client: this.redis, prefix: config.redis.prefix, log });
    await bus.open();
    return bus;
  }

  private async compose({ database }: OpenDatabase, bus: Bus): Promise<Edges> {
    const { config, log } = this;
    const isAlone = config.redis.url === undefined;
    const { enabled, rates, maxSockets, maxSocketsPerUser, maxGroupMembers } = config.limits;
    if (!enabled) log.warn("RATE_LIMITS=off: nothing is limited; this is for load tests only");
    const limits = new RateLimits({
      rates: enabled ? rates : undefined,
      redis: this.redis,
      prefix: config.redis.prefix,
    });
    const connections = new Connections({ maxPerUser: enabled ? maxSocketsPerUser : Number.POSITIVE_INFINITY });
    const store = new PresenceStore({ database });
    const presence = new PresenceTracker({ connections, store, bus, notify: pushPresence, log });
    const deliverChange = deliverChangesTo(connections);
    const delivery = new Delivery({
      store: {
        changesAfter: (chatId, after, limit) => changesAfter(database, { chatId, after, limit }),
        waitForWriters: (chatId) => waitForWriters(database, chatId),
        ...(!isAlone && { startVersion: startAmongOthers(database) }),
      },
      bus,
      deliver: (change) => {
        deliverChange(change);
        presence.changeCommitted(change);
      },
      deliverSignal: deliverSignalsTo(connections),
      log,
    });

    const secret = config.tokens.secret ?? (await storedSecret(config.server.dataDir));
    const sessions = new Sessions({
      database,
      tokens: new Tokens({ secret, lifetimeSeconds: config.tokens.lifetimeSeconds }),
      refreshTokens: new RefreshTokens(secret),
      refreshLifetimeMs: config.tokens.refreshLifetimeMs,
      onEnded: endSessionsEverywhere(connections, bus),
    });
    const passwords = new Passwords(config.passwords);
    const committer = new Committer({ database, delivery });
    const chatWriter = new ChatWriter({ database, committer });
    const accounts = new Accounts({ database, passwords, limits, sessions, chatWriter });
    const people = new People({ database });
    const marks = new ReadState({ database, delivery });
    const blocks = new Blocks({ database, chatWriter, marks, onChange: presence.blockChanged });
    const groups = new Groups({ database, chatWriter, maxMembers: maxGroupMembers });
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
      isReady: async () => isOpen() && (await answers(database)),
      limits,
      http: config.http,
      trustedProxyHops: config.http.trustedProxyHops,
      allowedOrigins: config.http.allowedOrigins,
      asAppError,
      log,
    });
    const gateway = new Gateway({
      connections,
      services: { messages, groups, history, readState: marks, typing, sync },
      presence,
      sessions,
      limits,
      fairQueue: new FairQueue(readsAtATime(config)),
      maxSockets,
      trustedProxyHops: config.http.trustedProxyHops,
      allowedOrigins: config.http.allowedOrigins,
      socketLimits: socketLimits({ ...config.slowClients, closesFloods: enabled }),
      isAccepting: isOpen,
      asAppError,
      log,
    });
    const chores = [
      pollRevokedSessions({ database, onEnded: connections.endSessions, log }),
      purgeEndedChats({ database, log }),
      ...(isAlone ? [] : [pollMissedChanges({ database, delivery, log })]),
      () => delivery.stop(),
    ];
    return { app, gateway, chores };
  }

  private listen(): Promise<number> {
    const { host, port } = this.config.http;
    return new Promise((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => {
        const why = error.code === "EADDRINUSE" ? "it is taken" : error.message;
        reject(
          new StartError(
            `Port ${port} of ${host} cannot be used: ${why}. Set PORT to another, or to 0 for a free one.`,
          ),
        );
      };
      this.server.once("error", refuse).listen({ host, port }, () => {
        this.server.off("error", refuse).on("error", this.noteFailedAccept);
        resolve((this.server.address() as AddressInfo).port);
      });
    });
  }

  /** Such as for want of file descriptors: who is connected goes on. */
  private readonly noteFailedAccept = sparingly((error: Error) =>
    this.log.error({ err: error }, "a connection could not be accepted"),
  );

  private async windDown(): Promise<void> {
    this.stopping.abort();
    await this.edges?.gateway.stop();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    await Promise.race([closed, wait(lastRequestsMs, undefined, { ref: false })]);
    this.server.closeAllConnections();
    for (const stop of this.edges?.chores ?? []) stop();
    await this.bus?.close();
    if (this.redis) await closeRedis(this.redis);
    await this.opened?.close();
  }
}

/** Says it now, and again only after a while: in a flood a line for each would be a flood of its own. */
function sparingly<What extends unknown[]>(say: (...what: What) => void): (...what: What) => void {
  let quietUntil = 0;
  return (...what) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + quietMs;
    say(...what);
  };
}

/** Closes the sockets of ended sessions here, and has every other process do it. */
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
 * Where delivery starts with a chat that it does not remember: before what was changed since this process began to
 * serve, but not further back than hints and looks at the database can be late.
 */
function startAmongOthers(database: Database): (chatId: number) => Promise<number> {
  const since = Date.now();
  return (chatId) => versionBefore(database, { chatId, seconds: Math.min(Date.now() - since, latestNewsMs) / 1000 });
}

/** Some connections are left to those who write. */
const readsAtATime = ({ database }: Config): number =>
  database.url === undefined ? 1 : Math.ceil(database.poolSize / 2);

/** The embedded database has one connection, and while a transaction is open everyone else waits for it. */
const sendConcurrency = ({ database }: Config): number => (database.url === undefined || database.poolSize < 4 ? 1 : 2);

const answers = (database: Database): Promise<boolean> =>
  database.query("SELECT 1").then(
    () => true,
    () => false,
  );
