import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { type RawData, type ServerOptions, WebSocketServer } from "ws";
import { closeCodes } from "../contract/close-codes.ts";
import { subprotocol } from "../contract/frames.ts";
import type { Claims } from "../domain/session.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { ClientSocket, sharedListener } from "./client-socket.ts";
import { closeLabel } from "./close-label.ts";
import { Connection } from "./connection.ts";
import { startConnectionMonitor } from "./connection-monitor.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { RefusalLog } from "./refusal-log.ts";
import { RequestReader, type RequestReaderOptions } from "./request-reader.ts";
import type { SocketLimits } from "./socket-limits.ts";
import { createUpgradeHandler, type UpgradeOptions } from "./upgrade.ts";

/** How long pending requests may take when the server stops, in milliseconds. */
const lastRepliesMs = 10_000;
/** How long clients may take to answer the close frame when the server stops, in milliseconds. */
const closeTimeoutMs = 3000;

export interface GatewayOptions
  extends Omit<RequestReaderOptions, "floodLimits" | "refusals">,
    Omit<UpgradeOptions, "wss" | "onOpen"> {
  socketLimits: SocketLimits;
  metrics?: Metrics | undefined;
}

/** The WebSocket side of the server: opens connections, passes events of their sockets on, and closes them. */
export class Gateway {
  /** Handles an upgrade request; resolves to whether the connection became a WebSocket. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<boolean>;
  private readonly requests: RequestReader;
  private readonly stopHeartbeat: () => void;
  private readonly stopMonitor: () => void;

  constructor(private readonly options: GatewayOptions) {
    const { connections, socketLimits } = options;
    const refusals = new RefusalLog(options.log);
    this.requests = new RequestReader({ ...options, refusals, floodLimits: socketLimits });
    this.upgrade = createUpgradeHandler({
      ...options,
      wss: createWebSocketServer(socketLimits),
      onOpen: (webSocket, socket, claims, requestId) => this.open(webSocket, socket, claims, requestId),
    });
    this.stopHeartbeat = startHeartbeat(connections, socketLimits);
    this.stopMonitor = startConnectionMonitor(connections, { maxBytes: socketLimits.unsentBytesInAll });
  }

  /**
   * Answers the received requests, then closes every socket with the code that tells clients to reconnect. New sockets
   * are rejected by `isAccepting`.
   */
  async stop(): Promise<void> {
    this.stopHeartbeat();
    this.stopMonitor();
    const open = [...this.options.connections];
    const closed = open.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
    const finished = Promise.all(open.map((connection) => connection.finish()));
    await Promise.race([finished, wait(lastRepliesMs, undefined, { ref: false })]);
    for (const connection of open) connection.abortPending();
    for (const connection of open) connection.close(closeCodes.restart, "server restarting");
    await Promise.race([Promise.all(closed), wait(closeTimeoutMs, undefined, { ref: false })]);
    for (const { socket } of open) socket.terminate();
    this.options.presence.stop();
  }

  private open(webSocket: ClientSocket, raw: Duplex, claims: Claims, requestId: string): void {
    const { connections, presence, socketLimits, metrics } = this.options;
    const connection = new Connection(webSocket, raw, claims, this.requests, socketLimits, requestId, metrics);
    webSocket.connection = connection;
    connections.add(connection);
    presence.connected(connection);
    webSocket.on("close", this.onClose);
    webSocket.on("error", this.onError);
    webSocket.on("ping", this.onPing);
    webSocket.on("pong", this.onPong);
    webSocket.on("message", this.onMessage);
  }

  private readonly onClose = sharedListener((connection, code: number) => {
    this.options.metrics?.socketCloses.add(closeLabel(connection.sentCloseCode ?? code));
    this.options.connections.remove(connection);
    this.options.presence.disconnected(connection);
  });

  /** Protocol errors, invalid UTF-8 and oversized frames: `ws` closes the socket itself with the matching code. */
  private readonly onError = (error: Error): void => this.options.log.debug({ err: error }, "socket error");

  private readonly onPing = sharedListener((connection) => this.requests.recordControlFrame(connection));

  private readonly onPong = sharedListener((connection) => {
    // Only unsolicited pongs are counted, so that silent sockets need no flood guard.
    if (connection.alive) this.requests.recordControlFrame(connection);
    connection.alive = true;
  });

  private readonly onMessage = sharedListener((connection, data: RawData, isBinary: boolean) => {
    if (isBinary) connection.close(closeCodes.binary, "text frames only");
    else connection.receive(String(data));
  });
}

function createWebSocketServer({ frameBytes, fragments, chunks, closeWithinMs }: SocketLimits) {
  // `closeTimeout` is missing in the published types.
  const options: ServerOptions<typeof ClientSocket> & { closeTimeout: number } = {
    WebSocket: ClientSocket,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: frameBytes,
    maxFragments: fragments,
    maxBufferedChunks: chunks,
    closeTimeout: closeWithinMs,
    // By default `ws` answers with the first offered subprotocol, which could be the token.
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  };
  return new WebSocketServer(options);
}
