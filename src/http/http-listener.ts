import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { throttled } from "../concurrency/throttled.ts";
import { StartError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import { isWebSocketUpgrade, withoutUpgrade } from "./foreign-upgrades.ts";

/** How long requests in progress may take when the listener closes, in milliseconds. */
const closeTimeoutMs = 5000;

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
}

/** Node's HTTP server: the port, its limits, and the shutdown. */
export class HttpListener {
  private readonly server: Server;

  constructor(
    private readonly options: {
      limits: ListenerLimits;
      onRequest: RequestListener;
      onWebSocketUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
      log: Logger;
    },
  ) {
    const { limits, onRequest, onWebSocketUpgrade, log } = options;
    this.server = createServer(
      {
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.requestTimeoutMs,
        connectionsCheckingInterval: limits.headersTimeoutMs / 10,
        keepAliveTimeout: limits.keepAliveMs,
      },
      onRequest,
    );
    this.server.maxConnections = limits.maxConnections;
    const warnOfDrop = `connections are rejected: the limit is ${limits.maxConnections} (MAX_CONNECTIONS)`;
    this.server.on(
      "drop",
      throttled(() => log.warn(warnOfDrop)),
    );
    this.server.on("upgrade", (request, socket, head) => {
      if (isWebSocketUpgrade(request)) onWebSocketUpgrade(request, socket, head);
      else this.server.emit("connection", withoutUpgrade(request, socket, head));
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
      const fail = (error: NodeJS.ErrnoException) => reject(unusablePort({ host, port }, error));
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
  }

  /** For example if no file descriptors are left; existing connections continue. */
  private readonly logFailedAccept = throttled((error: Error) =>
    this.options.log.error({ err: error }, "a connection could not be accepted"),
  );
}

function unusablePort({ host, port }: { host: string; port: number }, error: NodeJS.ErrnoException): StartError {
  const reason = error.code === "EADDRINUSE" ? "it is in use" : error.message;
  return new StartError(
    `Port ${port} of ${host} cannot be used: ${reason}. Set PORT to another one, or to 0 for a free one.`,
  );
}
