import type { IncomingMessage } from "node:http";
import type { ErrorCode } from "../contract/error-codes.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { clientAddress, plainAddress } from "../services/limits/client-address.ts";

/** The path of the WebSocket. */
export const webSocketPath = "/";

/** An upgrade request, as the log shows it. */
export interface UpgradeRecord {
  /** The `requestId` of its error response, and the `connectionId` of refused frames. */
  readonly id: string;
  /** The client's address. */
  readonly address: string;
  /** Writes the line, and counts the request. */
  end(result: { status: number; code?: ErrorCode | undefined; userId?: number | undefined }): void;
}

/** Starts the record of an upgrade request. Its one line has the same fields as those of other requests. */
export function recordUpgrade(
  request: IncomingMessage,
  {
    log,
    trustedProxyHops,
    metrics,
  }: {
    log: Logger;
    trustedProxyHops: number;
    metrics?: Pick<Metrics, "httpRequests" | "httpRequestSeconds"> | undefined;
  },
): UpgradeRecord {
  const startedAt = performance.now();
  const id = crypto.randomUUID();
  // Read now: a closed connection has no address.
  const address = plainAddress(clientAddress(request, trustedProxyHops));
  return {
    id,
    address,
    end({ status, code, userId }) {
      const route = pathOf(request) === webSocketPath ? webSocketPath : "unknown";
      const elapsedMs = performance.now() - startedAt;
      const durationMs = Math.round(elapsedMs * 10) / 10;
      metrics?.httpRequests.add(route, String(status));
      metrics?.httpRequestSeconds.observe(route, elapsedMs / 1000);
      const message = status === 101 ? "WebSocket opened" : "WebSocket refused";
      log.info({ route, method: request.method, status, code, durationMs, requestId: id, address, userId }, message);
    },
  };
}

export const pathOf = ({ url }: IncomingMessage): string | undefined => url?.split("?")[0];
