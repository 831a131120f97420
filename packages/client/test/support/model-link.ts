import type { WebSocketLike } from "../../src/transport.ts";
import type { ModelServer } from "./model-server.ts";

/** The end of a connection at the server. */
export interface LinkEnd {
  receive(text: string): void;
  /** Is called when the client has closed the connection, or it was lost. */
  closed(): void;
  close(code: number): void;
}

/** What a client program does with the network, until it is killed. */
export interface Program {
  readonly isKilled: boolean;
}

type Listener = (event: { data?: unknown; code?: number }) => void;

/** A WebSocket to the model server. Frames take a while, in order. */
export class Link implements WebSocketLike {
  readyState = 0;
  private readonly listeners = new Map<string, Listener[]>();
  private end: LinkEnd | undefined;
  private readonly arrival = { server: 0, client: 0 };
  private isStalled = false;

  constructor(
    private readonly server: ModelServer,
    private readonly program: Program,
    protocols: readonly string[],
  ) {
    this.later("server", () => {
      if (this.readyState !== 0) return;
      this.end = server.accept(this, protocols);
      if (this.end) this.later("client", () => this.opened());
      else this.closeByServer(1006);
    });
  }

  addEventListener(type: string, listener: Listener): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  send(text: string): void {
    if (this.readyState !== 1) return;
    this.later("server", () => this.end?.receive(text));
  }

  close(): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.later("server", () => this.leave());
    this.later("client", () => this.closed(1005));
  }

  toClient(text: string): void {
    this.later("client", () => {
      if (this.readyState === 1) this.emit("message", { data: text });
    });
  }

  closeByServer(code: number): void {
    this.end = undefined;
    this.later("client", () => this.closed(code));
  }

  /** The connection is cut: what is on the way is lost. */
  lose(): void {
    this.leave();
    this.isStalled = true;
    this.server.time.schedule(this.server.time.between(0, 500), () => this.closed(1006));
  }

  /** Nothing arrives any more, in either direction, and neither side notices. */
  stall(): void {
    this.isStalled = true;
  }

  /** Frames to the client take longer from now on. */
  delay(ms: number): void {
    this.arrival.client = this.server.time.now + ms;
  }

  /** The program has been killed: its operating system closes the connection. */
  kill(): void {
    this.leave();
    this.isStalled = true;
  }

  private leave(): void {
    this.end?.closed();
    this.end = undefined;
  }

  private opened(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.emit("open", {});
  }

  private closed(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.leave();
    this.emit("close", { code });
  }

  private emit(type: string, event: { data?: unknown; code?: number }): void {
    if (this.program.isKilled) return;
    this.server.time.runAs(this.program, () => {
      for (const listener of this.listeners.get(type) ?? []) listener(event);
    });
  }

  private later(to: "server" | "client", run: () => void): void {
    const { time, latencyMs } = this.server;
    const at = Math.max(this.arrival[to], time.now + time.between(...latencyMs));
    this.arrival[to] = at;
    time.schedule(at - time.now, () => {
      if (!this.isStalled) run();
    });
  }
}
