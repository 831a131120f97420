import type { RequestListener } from "node:http";
import type { Bus } from "./bus/bus.ts";
import type { Redis } from "./bus/redis.ts";
import type { FairQueues } from "./concurrency/fair-queue.ts";
import { mailMode } from "./config/mail-mode.ts";
import type { Config } from "./config/settings.ts";
import type { Database } from "./db/connect.ts";
import { asAppError } from "./db/database-errors.ts";
import type { EpochMonitor } from "./db/epoch-monitor.ts";
import type { OpenDatabase } from "./db/open.ts";
import { changeStore } from "./db/queries/chats/change-store.ts";
import { chatVersions } from "./db/queries/chats/dialogs.ts";
import { currentMark, versionsBefore } from "./db/queries/chats/recent-changes.ts";
import { selectOn } from "./db/select.ts";
import { Delivery } from "./delivery/delivery.ts";
import { StateVersions } from "./delivery/state-versions.ts";
import { StoreMarks } from "./delivery/store-marks.ts";
import { generateDocuments } from "./docs/documents.ts";
import { openFileParts } from "./file-parts.ts";
import { createHttpApp } from "./http/app.ts";
import type { Readiness } from "./http/routers/health.ts";
import { collectFiles } from "./jobs/collect-files.ts";
import { followEpoch } from "./jobs/epoch.ts";
import { eraseMessages } from "./jobs/erase-messages.ts";
import { forgetRemovedState } from "./jobs/forget-state.ts";
import { indexTexts } from "./jobs/index-texts.ts";
import { pollMissedChanges } from "./jobs/missed-changes.ts";
import type { ProcessRegistry } from "./jobs/process-registry.ts";
import { purgeAdministration } from "./jobs/purge-administration.ts";
import { purgeEndedChats } from "./jobs/purge-ended-chats.ts";
import { purgeOldSessions } from "./jobs/purge-sessions.ts";
import { removeReactionsOfDeletedAccounts } from "./jobs/remove-reactions.ts";
import { pollRevokedSessions } from "./jobs/revoked-sessions.ts";
import { sendMails } from "./jobs/send-mails.ts";
import type { Logger } from "./logger.ts";
import { openMailTransport } from "./mail/open-transport.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { mainPortToken, setGauges } from "./server-metrics.ts";
import { serverInfo } from "./server-status.ts";
import { issueMailedToken } from "./services/accounts/issue-invite.ts";
import { endSessionsEverywhere } from "./services/accounts/session-topics.ts";
import { storedSecret } from "./services/accounts/tokens.ts";
import type { Administration } from "./services/administration/compose-administration.ts";
import { composeServices, type Services } from "./services/compose-services.ts";
import { RateLimits } from "./services/limits/rate-limits.ts";
import { type IssueInviteToken, MailSender } from "./services/mail/mail-sender.ts";
import { pageLinks } from "./services/page-links.ts";
import { PresenceStore } from "./services/presence/presence-store.ts";
import { PresenceTracker } from "./services/presence/presence-tracker.ts";
import { TextIndexer } from "./services/search/text-indexer.ts";
import { version } from "./version.ts";
import type { ReadStartVersions } from "./writes/commit.ts";
import type { Connection } from "./ws/connection.ts";
import type { Connections } from "./ws/connections.ts";
import { deliverChangesTo, deliverSignalsTo } from "./ws/fan-out.ts";
import { Gateway } from "./ws/gateway.ts";
import { pushPresence } from "./ws/presence-push.ts";
import { socketLimits } from "./ws/socket-limits.ts";

/** What the parts are composed from. */
export interface Foundation {
  config: Config;
  log: Logger;
  metrics: Metrics | undefined;
  opened: OpenDatabase;
  /** Whether other processes may use the database, now or later: a server has many clients, an embedded one has one. */
  isSharedDatabase: boolean;
  /** Batches of messages written at the same time. */
  sendConcurrency: number;
  fairQueues: FairQueues;
  bus: Bus;
  /** Undefined without Redis. */
  redis: Redis | undefined;
  /** Undefined with an embedded database. */
  processes: ProcessRegistry | undefined;
  connections: Connections;
  /** On which the server listens. */
  port: number;
  /** Whether new requests and sockets are accepted. */
  isOpen: () => boolean;
  isBusUp: () => boolean;
  findReadiness: () => Promise<Readiness>;
}

/** The parts that everything else is built on. */
interface Core {
  database: Database;
  epoch: EpochMonitor;
  limits: RateLimits;
  presence: PresenceTracker<Connection>;
  delivery: Delivery;
  readStartVersions: ReadStartVersions;
  marks: StoreMarks;
  states: StateVersions;
  /** Pushes a signal to the recipients that are connected to this process. */
  deliverSignal: ReturnType<typeof deliverSignalsTo>;
  indexer: TextIndexer;
}

/** What runs once the database is open. */
export interface Runtime {
  app: RequestListener;
  gateway: Gateway;
  /** Undefined if no mail is sent. */
  mailSender: MailSender | undefined;
  administration: Administration;
  stopJobs: (() => void)[];
}

/** Builds all parts on an open database, and starts the jobs. */
export async function composeRuntime(foundation: Foundation): Promise<Runtime> {
  const { metrics, opened, connections, isBusUp } = foundation;
  const core = composeCore(foundation, new StoreMarks(await currentMark(selectOn(opened.database))));
  const services = await composeAllServices(foundation, core);
  await services.sharedFolder.assertAtStart();
  const mailSender = composeMailSender(foundation);
  if (metrics) setGauges(metrics, { ...core, connections, services, isBusUp });
  return {
    app: composeHttp(foundation, core, services),
    gateway: composeGateway(foundation, core, services),
    mailSender,
    administration: services.administration,
    stopJobs: startJobs(foundation, core, services, mailSender),
  };
}

function composeCore(foundation: Foundation, marks: StoreMarks): Core {
  const { config, log, redis, metrics, opened, isSharedDatabase, bus, connections } = foundation;
  const { database, epoch } = opened;
  const { enabled, rates } = config.limits;
  if (!enabled) log.warn("RATE_LIMITS=off: all rate limits are disabled; for load tests only");
  const { prefix } = config.redis;
  const limits = new RateLimits({ rates: enabled ? rates : undefined, redis, prefix, metrics });
  const store = new PresenceStore({ database });
  const presence = new PresenceTracker({ connections, store, bus, notify: pushPresence, log });
  const pushToDevices = deliverChangesTo(connections);
  const states = new StateVersions();
  const pushSignal = deliverSignalsTo(connections);
  const deliverSignal: Core["deliverSignal"] = (signal) => {
    if (signal.kind === "state") for (const id of signal.recipientIds) states.note(id, signal.item.stateVersion);
    pushSignal(signal);
  };
  const readStartVersions: ReadStartVersions = (chatIds, transaction) =>
    isSharedDatabase
      ? versionsBefore(database, chatIds, marks.delivered, transaction)
      : chatVersions(database, chatIds, transaction);
  const indexer = new TextIndexer({ database });
  const delivery = new Delivery({
    store: { ...changeStore(database), ...(isSharedDatabase && { startVersions: readStartVersions }) },
    bus,
    epoch,
    deliver: (change) => {
      pushToDevices(change);
      presence.changeCommitted(change);
      indexer.note(change.message.chatId);
    },
    deliverSignal,
    metrics,
    log,
  });
  return { database, epoch, limits, presence, delivery, readStartVersions, marks, states, deliverSignal, indexer };
}

async function composeAllServices(foundation: Foundation, core: Core): Promise<Services> {
  const { config, log, metrics, bus, connections, processes, port, fairQueues, sendConcurrency } = foundation;
  const { database, epoch, limits, presence, delivery, readStartVersions } = core;
  const fileParts = await openFileParts(config);
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
    makeLink: pageLinks(config, port),
    images: fileParts.images,
    files: fileParts,
    mail: {
      isAvailable: mailMode(config) !== "none",
      requiresVerification: config.mail.verification === "required",
    },
    epoch,
    sendConcurrency,
    changes: fairQueues.changes,
    onSessionsEnded: endSessionsEverywhere(bus, connections.endSessions),
    onBlockChange: presence.blockChanged,
    countSockets: () => connections.count + (processes?.socketsElsewhere ?? 0),
    metrics,
    log,
  });
}

function composeMailSender(foundation: Foundation): MailSender | undefined {
  const { config, log, opened, port } = foundation;
  const { database } = opened;
  const { serverName } = config.web;
  const transport = openMailTransport({
    mode: mailMode(config),
    smtpUrl: config.mail.smtpUrl,
    dataDir: config.server.dataDir,
    from: { name: serverName, address: config.mail.from },
  });
  if (!transport) return undefined;
  const issueInviteToken: IssueInviteToken = (id, transaction) => issueMailedToken(database, id, transaction);
  return new MailSender({ database, transport, serverName, makeLink: pageLinks(config, port), issueInviteToken, log });
}

function composeHttp(foundation: Foundation, { limits, epoch }: Core, services: Services): RequestListener {
  const { config, log, metrics, fairQueues, findReadiness } = foundation;
  return createHttpApp({
    services: {
      ...services,
      crossOriginPolicy: config.http.allowedOrigins.length > 0 ? "cross-origin" : "same-origin",
      describeServer: () =>
        serverInfo(config, { version, epoch: epoch.current ?? "", hasAvatars: services.avatars.isAvailable }),
    },
    documents: generateDocuments(version),
    findReadiness,
    fairQueues,
    limits,
    http: config.http,
    web: config.web,
    trustedProxyHops: config.http.trustedProxyHops,
    allowedOrigins: config.http.allowedOrigins,
    asAppError,
    metrics,
    metricsToken: mainPortToken(config),
    log,
  });
}

function composeGateway(foundation: Foundation, { presence, limits }: Core, services: Services): Gateway {
  const { config, log, metrics, connections, fairQueues, isOpen } = foundation;
  return new Gateway({
    connections,
    services,
    presence,
    sessions: services.sessions,
    requireVerified: (userId) => services.verification.requireVerified(userId),
    limits,
    fairQueues,
    maxSockets: config.limits.maxSockets,
    trustedProxyHops: config.http.trustedProxyHops,
    allowedOrigins: config.http.allowedOrigins,
    socketLimits: socketLimits({ ...config.slowClients, closesFloods: config.limits.enabled }),
    isAccepting: isOpen,
    asAppError,
    metrics,
    log,
  });
}

/** @returns functions that stop them */
function startJobs(
  { config, log, isSharedDatabase, connections, processes }: Foundation,
  { database, epoch, delivery, marks, states, deliverSignal, indexer }: Core,
  { erasure, reactions, state, fileCollection, resetCaches, stop: stopServices }: Services,
  mailSender: MailSender | undefined,
): (() => void)[] {
  const { refreshLifetimeMs, lifetimeSeconds } = config.tokens;
  const isConnected = (userId: number) => connections.countOf(userId) > 0;
  return [
    pollRevokedSessions({ database, onEnded: connections.endSessions, log }),
    purgeEndedChats({ database, log }),
    purgeAdministration({ database, auditRetentionMs: config.administration.auditRetentionMs, log }),
    eraseMessages({ eraseSome: () => erasure.eraseSome(), log }),
    indexTexts({ indexSome: () => indexer.indexSome(), log }),
    removeReactionsOfDeletedAccounts({ removeSome: () => reactions.removeSomeOfDeleted(), log }),
    forgetRemovedState({ forgetSome: () => state.forgetSome(), log }),
    collectFiles({
      collectSome: (now) => fileCollection.collectSome(now),
      removeOrphans: (now) => fileCollection.removeOrphans(now),
      intervalMs: config.files.collectSeconds * 1000,
      log,
    }),
    purgeOldSessions({ database, lifetimeMs: Math.max(refreshLifetimeMs, lifetimeSeconds * 1000), log }),
    followEpoch({
      database,
      epoch,
      marks,
      delivery,
      resetCaches: () => {
        resetCaches();
        states.reset();
      },
      disconnectAll: connections.restartAll,
      log,
    }),
    ...(mailSender ? [sendMails({ database, sendNext: () => mailSender.sendNext(), log })] : []),
    ...(isSharedDatabase
      ? [pollMissedChanges({ database, delivery, marks, states, isConnected, deliverSignal, log })]
      : []),
    ...(processes ? [processes.start()] : []),
    () => delivery.stop(),
    stopServices,
  ];
}
