import { findBackups } from "./backup/backup-folder.ts";
import type { Config } from "./config/settings.ts";
import { type Database, poolUse } from "./db/connect.ts";
import type { AppError } from "./errors.ts";
import { HttpListener } from "./http/http-listener.ts";
import { createMetricsApp } from "./http/metrics-app.ts";
import type { Logger } from "./logger.ts";
import { Metrics } from "./metrics/metrics.ts";
import type { Services } from "./services/compose-services.ts";
import type { TextIndexer } from "./services/search/text-indexer.ts";
import type { Connections } from "./ws/connections.ts";

/** TCP connections to the port of the metrics. */
const maxConnections = 64;

/** The metrics; undefined if no setting gives access to them, so that nothing is measured. */
export function createMetrics({ metrics, limits, server }: Config, version: string): Metrics | undefined {
  if (metrics.port === undefined && metrics.token === undefined) return undefined;
  const findBackupTime = async () => (await findBackups(server.dataDir)).at(-1)?.modifiedAt;
  return new Metrics({ version, limits: Object.keys(limits.rates), findBackupTime });
}

/** The token that reads the metrics on the main port; undefined if they are not there. */
export const mainPortToken = ({ metrics: { port, token } }: Config): string | undefined =>
  port === undefined ? token : undefined;

/**
 * Listens on the port of the metrics.
 * @throws StartError if the port cannot be used
 */
export async function listenForScrapes(options: {
  metrics: Metrics;
  config: Config;
  port: number;
  asAppError: (error: unknown) => AppError;
  log: Logger;
}): Promise<HttpListener> {
  const { metrics, config, port, asAppError, log } = options;
  const { host, token } = config.metrics;
  const listener = new HttpListener({
    limits: { ...config.http, maxConnections, trustedProxyHops: 0 },
    onRequest: createMetricsApp({ metrics, token, http: config.http, asAppError, log }),
    onWebSocketUpgrade: async (_request, socket) => {
      socket.destroy();
      return false;
    },
    log,
    portVariable: "METRICS_PORT",
  });
  const chosen = await listener.listen({ host, port });
  log.info(`Metrics:   http://${host}:${chosen}/metrics`);
  return listener;
}

/** Says where the gauges are read. */
export function setGauges(
  metrics: Metrics,
  parts: {
    database: Database;
    connections: Connections;
    services: Services;
    indexer: TextIndexer;
    isBusUp: () => boolean;
  },
): void {
  const { database, connections, services, indexer, isBusUp } = parts;
  metrics.setGauges({
    sockets: () => connections.count,
    bufferedBytes: () => connections.unsentBytes,
    poolConnections: () => poolUse(database),
    isBusUp,
    passwordQueue: services.passwordQueueLength,
    searchIndexLag: () => indexer.lagSeconds,
  });
}
