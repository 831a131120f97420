import { Backoff } from "./backoff.ts";
import { toMessengerError } from "./errors.ts";
import type { Log } from "./log.ts";
import { type Observable, State } from "./observable.ts";
import { Transport, type TransportEvents, type WebSocketClass } from "./transport.ts";

/** Why a connection has ended for good. */
export type EndReason =
  /** The session was ended: by a log-out or a new password on another device, or by an administrator. */
  | "sessionEnded"
  | "accountDeleted"
  /** The user has opened more connections than allowed, and this was the oldest. `takeOver()` connects again. */
  | "openElsewhere"
  /** The server found a fault in this client. */
  | "protocolError";

export interface ConnectionStatus {
  state: "loggedOut" | "offline" | "connecting" | "syncing" | "live" | "ended";
  /** While `offline`: when the next attempt begins, in milliseconds since 1970 by the device's clock. */
  retryAt?: number;
  /** Of `ended`. */
  reason?: EndReason;
}

/** The policy of the server's close codes; any other code means: reconnect with back-off. */
const endReasons: Readonly<Record<number, EndReason>> = {
  1002: "protocolError",
  1003: "protocolError",
  1007: "protocolError",
  1008: "protocolError",
  1009: "protocolError",
  4400: "protocolError",
  4403: "accountDeleted",
  4409: "openElsewhere",
};
const sessionEnded = 4401;
/** Codes after which the client waits longer. */
const slowCodes: readonly number[] = [1013, 4429];
const slowWaitMs = 30_000;

export interface ConnectionOptions {
  url: string;
  WebSocket: WebSocketClass;
  log: Log;
  /** The current token, renewed first if it is due. @throws MessengerError */
  token(): Promise<string>;
  /** Renews the token. @throws MessengerError `UNAUTHENTICATED` or `LOGGED_OUT` if there is none any more */
  renew(): Promise<unknown>;
  /** Whether the server still accepts the token. A browser does not say why an upgrade was refused. */
  isAccepted(token: string): Promise<boolean>;
  /** Brings the state up to date on a new connection. */
  sync(transport: Transport): Promise<void>;
  /** Is called when an attempt begins. */
  onConnecting(): void;
  onFrame: TransportEvents["onFrame"];
  /** Is called when everything is up to date. */
  onLive(transport: Transport): void;
  onLost(): void;
  onEnded(reason: EndReason | "loggedOut"): void;
}

/** Keeps one connection open as long as somebody is logged in. */
export class Connection {
  private readonly state = new State<ConnectionStatus>({ state: "loggedOut" });
  private readonly backoff = new Backoff();
  private transport: Transport | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Attempts of an earlier run of `start` are abandoned. */
  private run = 0;
  private isRunning = false;
  private readonly stopWatching: () => void;

  constructor(private readonly options: ConnectionOptions) {
    this.stopWatching = watchNetwork({
      onOffline: () => this.lose(),
      onOnline: () => this.retryNow(),
      onVisible: () => this.retryNow(),
    });
  }

  get status(): Observable<ConnectionStatus> {
    return this.state;
  }

  /** The open connection, from the moment it is opened. */
  get open(): Transport | undefined {
    const { state } = this.state.value;
    return state === "syncing" || state === "live" ? this.transport : undefined;
  }

  get isLive(): boolean {
    return this.state.value.state === "live";
  }

  start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.backoff.reset();
    void this.attempt();
  }

  /** Closes the connection and opens no other. */
  stop(status: ConnectionStatus = { state: "loggedOut" }): void {
    this.isRunning = false;
    this.run++;
    clearTimeout(this.retryTimer);
    this.transport?.close();
    this.transport = undefined;
    this.setStatus(status);
  }

  /** Stops for good. */
  close(): void {
    this.stop();
    this.stopWatching();
  }

  private setStatus(status: ConnectionStatus): void {
    if (JSON.stringify(status) !== JSON.stringify(this.state.value)) this.state.set(status);
  }

  private async attempt(): Promise<void> {
    const run = ++this.run;
    clearTimeout(this.retryTimer);
    if (!isOnline()) {
      this.setStatus({ state: "offline" });
      return;
    }
    this.setStatus({ state: "connecting" });
    let token: string;
    try {
      token = await this.options.token();
    } catch (error) {
      if (run === this.run) this.handleTokenError(error);
      return;
    }
    if (run !== this.run) return;
    let wasOpened = false;
    this.options.onConnecting();
    const { url, WebSocket, log, onFrame } = this.options;
    const transport = new Transport(
      { url, token, WebSocket, log },
      {
        onOpen: () => {
          wasOpened = true;
          this.setStatus({ state: "syncing" });
          void this.sync(transport);
        },
        onFrame: (frame) => {
          if (this.transport === transport) onFrame(frame);
        },
        onClose: (code) => {
          if (this.transport !== transport) return;
          this.transport = undefined;
          this.options.onLost();
          if (run === this.run) void this.handleClose(code, wasOpened ? undefined : token);
        },
      },
    );
    this.transport = transport;
  }

  private async sync(transport: Transport): Promise<void> {
    try {
      await this.options.sync(transport);
    } catch (error) {
      transport.drop(`sync failed: ${toMessengerError(error).code}`);
      return;
    }
    if (this.transport !== transport) return;
    this.backoff.reset();
    this.setStatus({ state: "live" });
    this.options.onLive(transport);
  }

  /** @param refusedToken the token of a connection that could not be opened */
  private async handleClose(code: number, refusedToken: string | undefined): Promise<void> {
    const reason = endReasons[code];
    if (reason) {
      this.end(reason);
      return;
    }
    const { run } = this;
    try {
      if (code === sessionEnded) await this.options.renew();
      else if (refusedToken !== undefined && isOnline()) {
        this.setStatus({ state: "connecting" });
        if (!(await this.options.isAccepted(refusedToken))) await this.options.renew();
      }
    } catch (error) {
      if (run === this.run) this.handleTokenError(error);
      return;
    }
    if (run === this.run) this.retryLater(slowCodes.includes(code) ? slowWaitMs : 0);
  }

  private handleTokenError(error: unknown): void {
    const { code, retryAfterMs } = toMessengerError(error);
    if (code === "UNAUTHENTICATED") this.end("sessionEnded");
    else if (code === "LOGGED_OUT") {
      this.stop();
      this.options.onEnded("loggedOut");
    } else this.retryLater(retryAfterMs ?? 0);
  }

  private end(reason: EndReason): void {
    this.stop({ state: "ended", reason });
    this.options.onEnded(reason);
  }

  private retryLater(minMs: number): void {
    const ms = minMs + this.backoff.next();
    this.setStatus(isOnline() ? { state: "offline", retryAt: Date.now() + ms } : { state: "offline" });
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.attempt(), ms);
  }

  /** The device is online again, or the page visible: timers may have slept, and the connection may be dead. */
  private retryNow(): void {
    if (!this.isRunning) return;
    if (this.transport) this.transport.ping();
    else if (this.state.value.state === "offline") void this.attempt();
  }

  /** The device is offline. Its connections may look open for a long time. */
  private lose(): void {
    if (!this.isRunning) return;
    if (this.transport) this.transport.drop("the device is offline");
    else this.setStatus({ state: "offline" });
  }
}

/** The part of a browser's `window` and `document` that is used. */
interface EventSource {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

const page = globalThis as unknown as EventSource & {
  navigator?: { onLine?: boolean };
  document?: EventSource & { visibilityState?: string };
};

/** Outside of browsers it is not known and assumed. */
const isOnline = (): boolean => page.navigator?.onLine !== false;

function watchNetwork(on: { onOffline(): void; onOnline(): void; onVisible(): void }): () => void {
  const onVisibility = () => {
    if (page.document?.visibilityState === "visible") on.onVisible();
  };
  const watched: [EventSource | undefined, string, () => void][] = [
    [page, "offline", on.onOffline],
    [page, "online", on.onOnline],
    [page.document, "visibilitychange", onVisibility],
  ];
  for (const [source, type, listener] of watched) source?.addEventListener?.(type, listener);
  return () => {
    for (const [source, type, listener] of watched) source?.removeEventListener?.(type, listener);
  };
}
