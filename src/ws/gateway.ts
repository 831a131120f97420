import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { type RawData, type ServerOptions, WebSocketServer } from "ws";
import type { Requester } from "../domain/actor.ts";
import type { Change, Signal } from "../domain/change.ts";
import type { ChatMessage } from "../domain/message.ts";
import type { Claims } from "../domain/session.ts";
import { closeCodes } from "../contract/close-codes.ts";
import { pushFrame } from "../contract/frames.ts";
import { AppError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { RateLimits } from "../services/limits/rate-limits.ts";
import type { Sessions } from "../services/accounts/sessions.ts";
import type { FairQueue } from "../concurrency/fair-queue.ts";
import { ClientSocket, sharedListener } from "./client-socket.ts";
import { Connection, type Request } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { readRequest } from "./dispatch.ts";
import { FloodGuard } from "./flood-guard.ts";
import { startHeartbeat } from "./heartbeat.ts";
import type { SocketControl, WsServices } from "./message-type.ts";
import { toMessageItem } from "./message-item.ts";
import type { SocketLimits } from "./socket-limits.ts";
import { textFrame } from "./socket-writer.ts";
import type { PresenceTracker } from "./presence-tracker.ts";
import { registry } from "./registry.ts";
import { startConnectionMonitor } from "./connection-monitor.ts";
import { createUpgradeHandler, subprotocol } from "./upgrade.ts";

/** How long requests under way may take when the server stops, in milliseconds. */
const lastAnswersMs = 10_000;
/** How long a client may take to answer the close of its socket when the server stops, in milliseconds. */
const farewellMs = 3000;

export interface GatewayOptions {
  connections: Connections;
  services: WsServices;
  sessions: Sessions;
  presence: PresenceTracker;
  limits: RateLimits;
  turns: FairQueue;
  maxSockets: number;
  trustedProxyHops: number;
  allowedOrigins: readonly string[];
  socketLimits: SocketLimits;
  isOpen: () => boolean;
  asAppError: (error: unknown) => AppError;
  log: Logger;
}

/** The WebSocket side: lets sockets in, gives their frames to `dispatch`, and lets them go. */
export class Gateway {
  /** The listener for the HTTP server's "upgrade" event. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;
  private readonly stopHeartbeat: () => void;
  private readonly stopSweep: () => void;
  private readonly guards = new WeakMap<Connection, FloodGuard>();

  constructor(private readonly options: GatewayOptions) {
    const { connections, sessions, limits, maxSockets, trustedProxyHops, allowedOrigins, isOpen, asAppError } = options;
    const { frameBytes, fragments, chunks, closeWithinMs, unsentBytesInAll } = options.socketLimits;
    // `closeTimeout` is not among the published types yet.
    const serverOptions: ServerOptions<typeof ClientSocket> & { closeTimeout: number } = {
      WebSocket: ClientSocket,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: frameBytes,
      maxFragments: fragments,
      maxBufferedChunks: chunks,
      closeTimeout: closeWithinMs,
      // Unless told otherwise `ws` answers with the first offer, which could be the token.
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    };
    const wss = new WebSocketServer(serverOptions);
    this.upgrade = createUpgradeHandler({
      wss,
      connections,
      sessions,
      limits,
      maxSockets,
      trustedProxyHops,
      allowedOrigins,
      isOpen,
      asAppError,
      log: options.log,
      onOpen: (webSocket, socket, claims) => this.open(webSocket, socket, claims),
    });
    this.stopHeartbeat = startHeartbeat(connections, options.socketLimits);
    this.stopSweep = startConnectionMonitor(connections, { mostBytes: unsentBytesInAll });
  }

  /** Answers what was read, then closes every socket with "come back". New ones are kept out by `isOpen`. */
  async stop(): Promise<void> {
    this.stopHeartbeat();
    this.stopSweep();
    const open = [...this.options.connections];
    const closed = open.map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
    const finished = Promise.all(open.map((connection) => connection.finish()));
    await Promise.race([finished, wait(lastAnswersMs, undefined, { ref: false })]);
    for (const connection of open) connection.giveUpRequests();
    for (const connection of open) connection.close(closeCodes.restart, "the server restarts");
    await Promise.race([Promise.all(closed), wait(farewellMs, undefined, { ref: false })]);
    for (const { socket } of open) socket.terminate();
    this.options.presence.stop();
  }

  private async renew(connection: Connection, token: string): Promise<Claims> {
    const { connections, sessions } = this.options;
    // One answer to every token that will not do, among them somebody else's.
    const refusal = new AppError("validation", '"token" must be a token of yours that holds');
    try {
      await connections.admit(token, sessions, (claims) => {
        if (claims.userId !== connection.claims.userId) throw refusal;
        connection.renew(claims);
      });
    } catch (error) {
      throw error instanceof AppError && error.kind === "unauthenticated" ? refusal : error;
    }
    return connection.claims;
  }

  private controlOf(connection: Connection, requester: Requester): SocketControl {
    return {
      renew: (token) => this.renew(connection, token),
      bufferPushes: () => connection.bufferPushes(requester),
      watchPresence: (userIds) => this.options.presence.watch(connection, userIds),
    };
  }

  private open(webSocket: ClientSocket, raw: Duplex, claims: Claims): void {
    const { connections, socketLimits } = this.options;
    const connection = new Connection(webSocket, raw, claims, this.read, socketLimits);
    webSocket.connection = connection;
    connections.add(connection);
    this.options.presence.opened(connection);
    webSocket.on("close", this.onClose);
    webSocket.on("error", this.onError);
    webSocket.on("ping", this.onPing);
    webSocket.on("pong", this.onPong);
    webSocket.on("message", this.onMessage);
  }

  private readonly onClose = sharedListener((connection) => {
    this.options.connections.remove(connection);
    this.options.presence.closed(connection);
  });

  /** Broken protocol, encoding or size: `ws` closes with the code that says so, once somebody listens. */
  private readonly onError = (error: Error): void => this.options.log.debug({ err: error }, "a socket failed");

  private readonly onPing = sharedListener((connection) => this.guardOf(connection).noteControl());

  private readonly onPong = sharedListener((connection) => {
    // Only what nobody has asked for counts: most sockets are silent but for this, and have no guard.
    if (connection.alive) this.guardOf(connection).noteControl();
    connection.alive = true;
  });

  private readonly onMessage = sharedListener((connection, data: RawData, isBinary: boolean) => {
    if (isBinary) connection.close(closeCodes.binary, "text frames only");
    else connection.receive(String(data));
  });

  private readonly read = (text: string, connection: Connection): Request => {
    const { services, turns, asAppError, log } = this.options;
    const { userId } = connection.claims;
    const contextOf = (requester: Requester) => ({
      user: { userId, requester },
      services,
      socket: this.controlOf(connection, requester),
    });
    return readRequest(text, contextOf, { guard: this.guardOf(connection), turns, asAppError, log });
  };

  /** Made with the first frame: most sockets are silent, and there may be many. */
  private guardOf(connection: Connection): FloodGuard {
    const known = this.guards.get(connection);
    if (known) return known;
    const { limits, socketLimits } = this.options;
    const guard = new FloodGuard({
      limits: socketLimits,
      spend: (limit) => limits.consume(limit, connection.claims.userId),
      dismiss: (code, reason) => void connection.finish().then(() => connection.close(code, reason)),
    });
    this.guards.set(connection, guard);
    return guard;
  }
}

/** Hands a committed change to every device it concerns, under the type of the request that makes such a change. */
export function deliverTo(connections: Connections) {
  return ({ message, recipientIds, requester }: Change): void => {
    const { chatId, version } = message;
    connections.push(recipientIds, () => {
      const item = toMessageItem(message);
      const type = typeOfChange(message);
      const frame = pushFrame(type, { message: item.message, senderName: item.senderName, item });
      return { frame: textFrame(JSON.stringify(frame)), chatId, version, requester };
    });
  };
}

/** Hands a signal to every device it concerns. */
export function signalTo(connections: Connections) {
  return ({ kind, item, recipientIds, requester }: Signal): void => {
    connections.push(recipientIds, () => {
      const type = typeOfSignal(kind);
      const frame = textFrame(JSON.stringify(pushFrame(type, { message: null, senderName: null, item })));
      return { frame, requester, ...(kind === "typing" && { ephemeral: true }) };
    });
  };
}

const pushes = [...registry.values()].flatMap(({ type, push }) => (push ? [{ push, type: push.type ?? type }] : []));
const pushesOfChanges = pushes.filter(({ push }) => push.matches);
const pushesOfSignals = new Map(pushes.map(({ push, type }) => [push.signal, type]));

/** The type under which this change is pushed. */
function typeOfChange(message: ChatMessage): string {
  const found = pushesOfChanges.find(({ push }) => push.matches?.(message));
  if (!found) throw new Error("a change that no message type pushes");
  return found.type;
}

function typeOfSignal(kind: Signal["kind"]): string {
  const type = pushesOfSignals.get(kind);
  if (type === undefined) throw new Error("a signal that no message type pushes");
  return type;
}
