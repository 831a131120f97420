import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** `up`: from the client to the server. */
export type Direction = "up" | "down";

const unavailable = [
  "HTTP/1.1 503 Service Unavailable",
  "Content-Type: text/html",
  "Content-Length: 11",
  "Connection: close",
  "",
  "unavailable",
].join("\r\n");

/** Time for the server to process a request whose answer is lost, in milliseconds. */
const processingMs = 20;

/** A TCP proxy between clients and a server that damages connections. */
export class FaultProxy {
  readonly connections = new Set<ProxiedConnection>();
  /** New connections are reset. */
  isRefusing = false;
  /** Every request is answered with 503, without the server. */
  isUnavailable = false;
  /** Delay of everything that is forwarded, in milliseconds. */
  delayMs = 0;
  /** The number of WebSockets that clients have opened. */
  webSockets = 0;
  private lossPattern: { text: string; onLoss: () => void } | undefined;

  private constructor(
    private readonly server: Server,
    public targetPort: number,
  ) {}

  /** Starts a proxy for the server on this local port. */
  static async inFrontOf(targetPort: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new FaultProxy(server, targetPort);
    server.on("connection", (client) => proxy.accept(client));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Cuts all connections. */
  cutAll(): void {
    for (const connection of this.connections) connection.cut();
  }

  /** Forwards the next request with this text in its head, but not its answer; resolves when the connection is cut. */
  loseAnswerTo(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.lossPattern = { text, onLoss: resolve };
    });
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Is called with everything that a client has sent. @returns whether the answer has to be lost */
  takesLoss(bytes: Buffer): (() => void) | undefined {
    const { lossPattern } = this;
    if (!lossPattern || !bytes.includes(lossPattern.text)) return undefined;
    this.lossPattern = undefined;
    return lossPattern.onLoss;
  }

  private accept(client: Socket): void {
    if (this.isRefusing) {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const connection = new ProxiedConnection(this, client);
    this.connections.add(connection);
    client.once("close", () => this.connections.delete(connection));
  }
}

/** One connection of a client through the proxy. */
export class ProxiedConnection {
  isWebSocket = false;
  private readonly server: Socket;
  private readonly bytesLeft: Record<Direction, number> = {
    up: Number.POSITIVE_INFINITY,
    down: Number.POSITIVE_INFINITY,
  };
  private readonly forwarded: Record<Direction, Promise<void>> = { up: Promise.resolve(), down: Promise.resolve() };
  private isLosing = false;
  private onLoss: () => void = () => {};

  constructor(
    private readonly proxy: FaultProxy,
    private readonly client: Socket,
  ) {
    this.server = connect({ port: proxy.targetPort, host: "127.0.0.1", allowHalfOpen: true });
    for (const [from, to, direction] of [
      [client, this.server, "up"],
      [this.server, client, "down"],
    ] as const) {
      from.setNoDelay(true);
      from.on("error", () => this.cut());
      from.on("close", () => this.cut());
      from.on("data", (bytes) => this.later(direction, () => this.forward(bytes, to, direction)));
      from.on("end", () => this.later(direction, () => to.end()));
    }
  }

  /** Resets the connection on both sides. */
  cut(): void {
    for (const socket of [this.client, this.server]) if (!socket.destroyed) socket.resetAndDestroy();
    if (this.isLosing) this.onLoss();
    this.isLosing = false;
  }

  /** Cuts the connection when this number of bytes more was forwarded in a direction. */
  cutAfter(bytes: number, direction: Direction): void {
    this.bytesLeft[direction] = bytes;
  }

  /** Forwards nothing for a while. The connection stays open. */
  stall(ms: number): void {
    for (const socket of [this.client, this.server]) socket.pause();
    setTimeout(() => {
      for (const socket of [this.client, this.server]) socket.resume();
    }, ms).unref();
  }

  /** Drops what the server sends from now on, and cuts the connection soon after the first of it. */
  loseAnswer(onLoss: () => void = () => {}): void {
    this.isLosing = true;
    this.onLoss = onLoss;
  }

  /** Runs work after the delay, in the order of the calls. */
  private later(direction: Direction, work: () => void): void {
    const due = performance.now() + this.proxy.delayMs;
    this.forwarded[direction] = this.forwarded[direction].then(async () => {
      const ms = due - performance.now();
      if (ms > 0) await wait(ms, undefined, { ref: false });
      work();
    });
  }

  private forward(bytes: Buffer, to: Socket, direction: Direction): void {
    if (to.destroyed) return;
    if (direction === "up") {
      if (this.proxy.isUnavailable && !this.isWebSocket) {
        this.client.end(unavailable);
        this.server.destroy();
        return;
      }
      if (bytes.includes("Upgrade: websocket")) {
        this.isWebSocket = true;
        this.proxy.webSockets++;
      }
      const onLoss = this.proxy.takesLoss(bytes);
      if (onLoss) this.loseAnswer(onLoss);
    } else if (this.isLosing) {
      setTimeout(() => this.cut(), processingMs).unref();
      return;
    }
    const left = this.bytesLeft[direction];
    this.bytesLeft[direction] = left - bytes.length;
    to.write(bytes.subarray(0, Math.max(0, Math.min(left, bytes.length))));
    // What was written before is still sent.
    if (left <= bytes.length) setImmediate(() => this.cut());
  }
}
