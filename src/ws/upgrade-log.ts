import type { IncomingMessage } from "node:http";
import type { ErrorCode } from "../contract/error-codes.ts";
import type { Logger } from "../logger.ts";
import { clientAddress, plainAddress } from "../services/limits/client-address.ts";

/** The path of the WebSocket. */
export const webSocketPath = "/";

/** An upgrade request, as the log shows it. */
export interface UpgradeRecord {
  /** The `requestId` of its error response, and the `connectionId` of refused frames. */
  readonly id: string;
  /** The client's address. */
  readonly address: string;
  /** Writes the line. */
  end(result: { status: number; code?: ErrorCode | undefined; userId?: number | undefined }): void;
}

/** Starts the record of an upgrade request. Its one line has the same fields as those of other requests. */
export function recordUpgrade(
  request: IncomingMessage,
  { log, trustedProxyHops }: { log: Logger; trustedProxyHops: number },
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
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      const message = status === 101 ? "WebSocket opened" : "WebSocket refused";
      log.info({ route, method: request.method, status, code, durationMs, requestId: id, address, userId }, message);
    },
  };
}

export const pathOf = ({ url }: IncomingMessage): string | undefined => url?.split("?")[0];
