import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Server, WebSocket } from "ws";
import { closeCodes } from "../contract/close-codes.ts";
import { type EdgeError, errorResponse } from "../contract/problem.ts";
import { canonicalOrigin, isOriginOfHost } from "../domain/origin.ts";
import type { Claims } from "../domain/session.ts";
import type { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Sessions } from "../services/accounts/sessions.ts";
import { bearerToken } from "../services/accounts/tokens.ts";
import { networkOf, type RateLimits } from "../services/limits/rate-limits.ts";
import type { ClientSocket } from "./client-socket.ts";
import { closeLabel } from "./close-label.ts";
import type { Connections } from "./connections.ts";
import { pathOf, recordUpgrade, type UpgradeRecord, webSocketPath } from "./upgrade-log.ts";

const bearerPrefix = "bearer.";

/** How long a rejected client may take to read the response, in milliseconds. */
const rejectionTimeoutMs = 2000;

export interface UpgradeOptions {
  wss: Server<typeof ClientSocket>;
  connections: Connections;
  sessions: Sessions;
  limits: RateLimits;
  /** The maximum number of open sockets of this process. */
  maxSockets: number;
  trustedProxyHops: number;
  allowedOrigins: readonly string[];
  /** Whether new sockets are accepted; false while the server stops. */
  isAccepting: () => boolean;
  asAppError: (error: unknown) => AppError;
  log: Logger;
  metrics?: Pick<Metrics, "socketCloses" | "httpRequests" | "httpRequestSeconds"> | undefined;
  /**
   * Called with the open WebSocket, the raw socket beneath it, the claims of the token and the id of the request, as soon
   * as the upgrade is done.
   */
  onOpen: (webSocket: ClientSocket, socket: Duplex, claims: Claims, requestId: string) => void;
}

/**
 * Handles `Upgrade: websocket` requests: accepts clients with a token of an active session and rejects all others.
 * @returns a function that resolves to whether a WebSocket was opened
 */
export function createUpgradeHandler(options: UpgradeOptions) {
  const { wss, connections, sessions, limits, maxSockets, isAccepting, asAppError, onOpen, log, metrics } = options;

  return async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<boolean> => {
    // Before any await: a client may reset the connection at any time, and an unhandled error event ends the process.
    socket.on("error", destroy);
    const record = recordUpgrade(request, options);
    const rejection = rejectionByTarget(request, options.allowedOrigins) ?? (isAccepting() ? undefined : notReady);
    if (rejection) {
      reject(socket, rejection, record);
      return false;
    }
    let isOpen = false;

    try {
      await limits.consume("reconnectsPerAddress", networkOf(record.address));
      if (connections.count >= maxSockets) {
        record.end({ status: 101, code: "UNAVAILABLE" });
        metrics?.socketCloses.add(closeLabel(closeCodes.overloaded));
        wss.handleUpgrade(request, socket, head, closeAsOverloaded);
        return false;
      }
      await connections.admit(tokenOf(request), sessions, (claims) => {
        if (!isAccepting()) return reject(socket, notReady, record, claims.userId);
        if (socket.destroyed) return;
        wss.handleUpgrade(request, socket, head, (webSocket) => {
          isOpen = true;
          // From now on `ws` handles errors.
          socket.off("error", destroy);
          record.end({ status: 101, userId: claims.userId });
          onOpen(webSocket, socket, claims, record.id);
        });
        // `ws` has answered a request that is no valid handshake.
        if (!isOpen) record.end({ status: request.method === "GET" ? 400 : 405, userId: claims.userId });
      });
    } catch (error) {
      const appError = asAppError(error);
      if (appError.kind === "internal") log.error({ err: appError.cause, requestId: record.id }, "upgrade failed");
      reject(socket, appError, record, appError.logFields.userId);
    }
    return isOpen;
  };
}

/** Closes a socket right after the upgrade: browsers show a page the close code, but not the status of a rejected upgrade. */
function closeAsOverloaded(webSocket: WebSocket): void {
  webSocket.on("error", () => webSocket.terminate());
  const timer = setTimeout(() => webSocket.terminate(), rejectionTimeoutMs).unref();
  webSocket.once("close", () => clearTimeout(timer));
  webSocket.close(closeCodes.overloaded, "overloaded");
}

function rejectionByTarget(request: IncomingMessage, allowedOrigins: readonly string[]): EdgeError | undefined {
  if (pathOf(request) !== webSocketPath) return { code: "NOT_FOUND", detail: "The WebSocket is at /" };
  const { origin, host } = request.headers;
  if (origin === undefined || isOriginOfHost(origin, host)) return undefined;
  if (allowedOrigins.includes(canonicalOrigin(origin))) return undefined;
  return { code: "FOREIGN_ORIGIN", detail: "This origin is not among ALLOWED_ORIGINS" };
}

/** The token from the header or from the offered subprotocols. Never from the URL, because URLs are logged. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
  return (
    bearerToken(headers.authorization) ??
    offered.find((name) => name.startsWith(bearerPrefix))?.slice(bearerPrefix.length)
  );
}

const notReady: EdgeError = { code: "UNAVAILABLE", detail: "The server is starting or stopping. Try again." };

/** Rejects an upgrade while the server is starting or stopping. */
export function rejectNotReady(
  request: IncomingMessage,
  socket: Duplex,
  options: Pick<UpgradeOptions, "log" | "trustedProxyHops" | "metrics">,
): void {
  reject(socket, notReady, recordUpgrade(request, options));
}

/** One listener for all sockets: a closure per socket would keep its request in memory. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** Writes an HTTP error response and ends the connection. */
function reject(socket: Duplex, error: AppError | EdgeError, record: UpgradeRecord, userId?: number): void {
  socket.on("error", destroy);
  const { status, code, headers, body } = errorResponse(error, record.id);
  record.end({ status, code, userId });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const timer = setTimeout(() => socket.destroy(), rejectionTimeoutMs).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  socket.resume();
}
