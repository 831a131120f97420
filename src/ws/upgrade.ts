import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Server, WebSocket } from "ws";
import type { Claims } from "../domain/session.ts";
import { closeCodes } from "../contract/close-codes.ts";
import { type EdgeError, errorResponse } from "../contract/problem.ts";
import type { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { type RateLimits, networkOf } from "../services/limits/rate-limits.ts";
import type { Sessions } from "../services/accounts/sessions.ts";
import { bearerToken } from "../services/accounts/tokens.ts";
import type { ClientSocket } from "./client-socket.ts";
import type { Connections } from "./connections.ts";

/** The subprotocol of this contract; a browser, which can set no header, offers it beside `bearer.<token>`. */
export const subprotocol = "messenger.v1";
const bearerPrefix = "bearer.";

/** How long a refused client may take to read its answer, in milliseconds. */
const refusalLingerMs = 2000;

export interface UpgradeOptions {
  wss: Server<typeof ClientSocket>;
  connections: Connections;
  sessions: Sessions;
  limits: RateLimits;
  /** Open sockets at which no more are let in. */
  maxSockets: number;
  trustedProxyHops: number;
  allowedOrigins: readonly string[];
  /** Whether new sockets are let in now: not while the server stops. */
  isOpen: () => boolean;
  asAppError: (error: unknown) => AppError;
  log: Logger;
  /** Takes the open WebSocket of a proven person, and the raw socket beneath it; called in the moment the upgrade is done. */
  onOpen: (webSocket: ClientSocket, socket: Duplex, claims: Claims) => void;
}

/** Answers `Upgrade: websocket` requests: lets in who shows a token of a living session, and refuses everyone else. */
export function createUpgradeHandler(options: UpgradeOptions) {
  const { wss, connections, sessions, limits, maxSockets, isOpen, asAppError, onOpen, log } = options;

  return async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    // Before any await: a client may reset the connection at any moment, and an unheard error ends the process.
    socket.on("error", destroy);
    const early = refuseByAddress(request, options.allowedOrigins);
    if (early) return refuse(socket, early);
    if (!isOpen()) return refuseUnready(socket);

    try {
      await limits.consume("reconnectsPerAddress", networkOf(clientAddress(request, options.trustedProxyHops)));
      if (connections.count >= maxSockets) return wss.handleUpgrade(request, socket, head, turnAway);
      await connections.admit(tokenOf(request), sessions, (claims) => {
        if (!isOpen()) refuseUnready(socket);
        else if (!socket.destroyed)
          wss.handleUpgrade(request, socket, head, (webSocket) => {
            // `ws` listens itself from now on.
            socket.off("error", destroy);
            onOpen(webSocket, socket, claims);
          });
      });
    } catch (error) {
      const appError = asAppError(error);
      if (appError.kind === "internal") log.error({ err: appError.cause }, "an upgrade failed");
      refuse(socket, appError);
    }
  };
}

/**
 * Where a request comes from: what the outermost of our own proxies has seen, or without one, the other end. What
 * clients themselves put into the header stands before that, and is not read. (As Express does it with "trust proxy".)
 */
function clientAddress({ headers, socket }: IncomingMessage, trustedProxyHops: number): string {
  const forwardedFor = headers["x-forwarded-for"] ?? [];
  const hops = [forwardedFor].flat().flatMap((list) => list.split(",").map((address) => address.trim()));
  const fromHere = [socket.remoteAddress ?? "", ...hops.reverse()];
  return fromHere[Math.min(trustedProxyHops, fromHere.length - 1)] ?? "";
}

/** Browsers show their page a close code, and not the status of a refused upgrade. */
function turnAway(webSocket: WebSocket): void {
  webSocket.on("error", () => webSocket.terminate());
  const linger = setTimeout(() => webSocket.terminate(), refusalLingerMs).unref();
  webSocket.once("close", () => clearTimeout(linger));
  webSocket.close(closeCodes.overloaded, "overloaded");
}

function refuseByAddress(request: IncomingMessage, allowedOrigins: readonly string[]): EdgeError | undefined {
  const path = request.url?.split("?")[0];
  if (path !== "/") return { code: "NOT_FOUND", detail: "The WebSocket is at /" };
  const { origin, host } = request.headers;
  if (origin === undefined || isSameHost(origin, host) || allowedOrigins.includes(origin)) return undefined;
  return { code: "FOREIGN_ORIGIN", detail: "This origin is not among ALLOWED_ORIGINS" };
}

function isSameHost(origin: string, host: string | undefined): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

/** The token from the header, or from the subprotocols that a browser offers. Never from the URL, which gets logged. */
function tokenOf({ headers }: IncomingMessage): string | undefined {
  const offered = headers["sec-websocket-protocol"]?.split(",").map((name) => name.trim()) ?? [];
  return (
    bearerToken(headers.authorization) ??
    offered.find((name) => name.startsWith(bearerPrefix))?.slice(bearerPrefix.length)
  );
}

/** Refuses an upgrade for now: the server is starting or stopping. */
export function refuseUnready(socket: Duplex): void {
  refuse(socket, { code: "UNAVAILABLE", detail: "The server is starting or stopping. Try again." });
}

/** One listener for all sockets: a closure of its own for each would keep the request of each in memory. */
function destroy(this: Duplex): void {
  this.destroy();
}

/** Writes a whole HTTP answer and ends the connection. */
function refuse(socket: Duplex, error: AppError | EdgeError): void {
  socket.on("error", destroy);
  const { status, headers, body } = errorResponse(error, crypto.randomUUID());
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const linger = setTimeout(() => socket.destroy(), refusalLingerMs).unref();
  socket.once("close", () => clearTimeout(linger));
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  socket.resume();
}
