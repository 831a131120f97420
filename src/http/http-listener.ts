import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { throttled, throttledWithCount } from "../concurrency/throttled.ts";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { plainAddress } from "../services/limits/client-address.ts";
import { networkOf } from "../services/limits/rate-limits.ts";
import { answerClientError, statusOfClientError } from "./client-errors.ts";
import { isFileUpload, rawPathOf } from "./file-transfers.ts";
import { afterResponses, isWebSocketUpgrade, withoutUpgrade } from "./foreign-upgrades.ts";
import { OpenConnections } from "./open-connections.ts";

/** How long requests in progress may take when the listener closes, in milliseconds. */
const closeTimeoutMs = 5000;

/** The code of Node's own time-out. */
const requestTimeoutCode = "ERR_HTTP_REQUEST_TIMEOUT";

/** Limits of Node's HTTP server. */
export interface ListenerLimits {
  /** To receive the headers of a request. */
  headersTimeoutMs: number;
  /** To receive a whole request. */
  requestTimeoutMs: number;
  /** How long an idle connection stays open. */
  keepAliveMs: number;
  /** TCP connections of the process, those of WebSockets included. */
  maxConnections: number;
  /** Proxies in front. With any, the peer of a connection is not the client. */
  trustedProxyHops: number;
}

/** Node's HTTP server: the port, its limits, and the shutdown. */
export class HttpListener {
  private readonly server: Server;
  private readonly connections: OpenConnections;

  constructor(
    private readonly options: {
      limits: ListenerLimits;
      onRequest: RequestListener;
      /** Resolves to whether the connection became a WebSocket. Never rejects. */
      onWebSocketUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<boolean>;
      log: Logger;
      metrics?: Pick<Metrics, "httpRequests"> | undefined;
      /** The setting of the port, for the error that it cannot be used. */
      portVariable?: string;
    },
  ) {
    const { limits, onRequest, log } = options;
    const warnOfRejection = throttled((reason: string) => log.warn(`connections are rejected: ${reason}`));
    this.connections = new OpenConnections({
      maxConnections: limits.maxConnections,
      hasNetworks: limits.trustedProxyHops === 0,
      onReject: (network, max) =>
        warnOfRejection(`${network} has ${max}, half of ${limits.maxConnections} (MAX_CONNECTIONS)`),
      onEvict: throttled(() =>
        log.warn(`idle connections are closed for new ones: the limit is ${limits.maxConnections} (MAX_CONNECTIONS)`),
      ),
    });
    this.server = createServer(
      {
        headersTimeout: limits.headersTimeoutMs,
        // Contents of files may take longer: the time of each body is measured below.
        requestTimeout: 0,
        connectionsCheckingInterval: limits.headersTimeoutMs / 10,
        keepAliveTimeout: limits.keepAliveMs,
      },
      (request, response) => {
        this.connections.beginRequest(request.socket, response);
        this.limitBodyTime(request);
        onRequest(request, response);
      },
    );
    this.server.maxConnections = limits.maxConnections;
    this.server.on("drop", () => warnOfRejection(`the limit is ${limits.maxConnections} (MAX_CONNECTIONS)`));
    this.server.on("connection", (socket) => this.connections.accept(socket, networkOf(socket.remoteAddress ?? "")));
    this.server.on("clientError", this.onClientError);
    this.server.on("upgrade", (request, socket, head) => {
      afterResponses(socket, this.connections.responsesOn(socket), () => {
        // The time-out of an idle connection, which began with the last response.
        if (socket instanceof Socket) socket.setTimeout(0);
        if (isWebSocketUpgrade(request)) void this.upgrade(request, socket, head);
        else this.server.emit("connection", withoutUpgrade(request, socket, head));
      });
    });
  }

  /**
   * Listens on the port; 0 picks a free one.
   * @returns the port
   * @throws StartError if the port cannot be used
   */
  listen({ host, port }: { host: string; port: number }): Promise<number> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      const { portVariable = "PORT" } = this.options;
      const fail = (error: NodeJS.ErrnoException) => reject(unusablePort({ host, port, portVariable }, error));
      server.once("error", fail).listen({ host, port }, () => {
        server.off("error", fail).on("error", this.logFailedAccept);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  /** Accepts no more connections, waits for the requests in progress, and closes all connections. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeIdleConnections();
    await Promise.race([closed, wait(closeTimeoutMs, undefined, { ref: false })]);
    this.server.closeAllConnections();
    this.connections.destroyAll();
  }

  /** Rejects a request whose body takes too long, unless it is the content of a file. */
  private limitBodyTime(request: IncomingMessage): void {
    if (request.complete || isFileUpload(request.method, rawPathOf(request))) return;
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (encoding === undefined && (length === undefined || Number(length) === 0)) return;
    const timer = setTimeout(() => {
      if (request.complete || request.socket.destroyed) return;
      this.onClientError(Object.assign(new Error("request time-out"), { code: requestTimeoutCode }), request.socket);
    }, this.options.limits.requestTimeoutMs);
    request.once("end", () => clearTimeout(timer));
    request.once("error", () => clearTimeout(timer));
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.connections.beginUpgrade(socket);
    if (await this.options.onWebSocketUpgrade(request, socket, head)) this.connections.becomeWebSocket(socket);
  }

  private readonly onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    const status = statusOfClientError(error);
    if (status !== undefined) this.options.metrics?.httpRequests.add("unknown", String(status));
    if (status !== undefined && socket instanceof Socket) this.logUnreadable(status, socket.remoteAddress ?? "");
    answerClientError(socket, { status, responses: this.connections.responsesOn(socket) });
  };

  /** What such a client sent has no route, and its address is that of the peer, because its headers were not read. */
  private readonly logUnreadable = throttledWithCount((suppressed, status: number, peer: string) =>
    this.options.log.info(
      { status, address: plainAddress(peer), ...(suppressed > 0 && { suppressed }) },
      "unreadable or late request",
    ),
  );

  /** For example if no file descriptors are left; existing connections continue. */
  private readonly logFailedAccept = throttled((error: Error) =>
    this.options.log.error({ err: error }, "a connection could not be accepted"),
  );
}

function unusablePort(
  { host, port, portVariable }: { host: string; port: number; portVariable: string },
  error: NodeJS.ErrnoException,
): StartError {
  const reason = error.code === "EADDRINUSE" ? "it is in use" : error.message;
  return new StartError(
    `Port ${port} of ${host} cannot be used: ${reason}. Set ${portVariable} to another one, or to 0 for a free one.`,
  );
}
