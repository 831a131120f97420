import { Deferred } from "./deferred.ts";
import { MessengerError } from "./errors.ts";
import type { Log } from "./log.ts";
import { type ErrorFrame, type Requests, subprotocol } from "./protocol.ts";

/** The part of a `WebSocket` that is used. Those of browsers, Node and the package `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: string, listener: (event: { type?: string; data?: unknown; code?: number }) => void): void;
}

export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** A frame that the server has sent. */
export interface Frame {
  type: string;
  error?: true;
  requestId?: string | number;
  params: { data: unknown; item: unknown; isBroadcast: boolean };
}

/** The answer to a request. */
export interface Answer<T extends keyof Requests> {
  data: Requests[T]["data"];
  item: Requests[T]["item"];
}

interface PendingRequest {
  type: string;
  /** Is called with the answer in the order of the frames; the promise is only resolved later. */
  apply: ((item: unknown) => void) | undefined;
  resolve(answer: { data: unknown; item: unknown }): void;
  reject(error: MessengerError): void;
  timer: unknown;
}

/** What happens on a connection. Each is called in the order in which it arrived. */
export interface TransportEvents {
  onOpen(): void;
  /** A push, or an answer whose request has no `apply`. */
  onFrame(frame: Frame): void;
  /** Is called once, also if the connection could not be opened. */
  onClose(code: number): void;
}

const checkIntervalMs = 5000;
/** Silence after which the connection is checked, in milliseconds. */
const silenceMs = 30_000;
/** Time for the answer of that check. */
const pingTimeoutMs = 10_000;
/** Answers come in order, so one that is so late is lost. */
const answerTimeoutMs = 60_000;
const openTimeoutMs = 20_000;

/** The close code of a connection that was lost. */
export const lostConnection = 1006;

/** One connection: matches answers with requests and detects that the connection is dead. */
export class Transport {
  private readonly socket: WebSocketLike;
  private readonly pending = new Map<string | number, PendingRequest>();
  private requestCount = 0;
  private isOpen = false;
  private isClosed = false;
  private lastReceivedAt = performance.now();
  private pingedAt: number | undefined;
  private readonly checkTimer: ReturnType<typeof setInterval>;
  private pingTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly closing = new Deferred<void>();
  /** Resolves when the connection is closed or lost. */
  readonly closed = this.closing.promise;

  constructor(
    options: { url: string; token: string; WebSocket: WebSocketClass; log: Log },
    private readonly events: TransportEvents,
  ) {
    this.log = options.log;
    this.checkTimer = setInterval(() => this.check(), checkIntervalMs);
    this.socket = new options.WebSocket(options.url, [subprotocol, `bearer.${options.token}`]);
    this.socket.addEventListener("open", () => {
      if (this.isClosed) return;
      this.isOpen = true;
      this.noteReceived();
      events.onOpen();
    });
    this.socket.addEventListener("message", ({ data }) => this.receive(String(data)));
    this.socket.addEventListener("close", ({ code }) => this.end(code ?? lostConnection));
    // A close event follows.
    this.socket.addEventListener("error", () => {});
  }

  private readonly log: Log;

  /**
   * Sends a request.
   * @param apply is called with the answer's item before any later frame is processed
   * @throws MessengerError with the code of the server, or `OFFLINE` if the connection is lost before the answer
   */
  request<T extends keyof Requests>(
    type: T,
    params: Requests[T]["params"],
    apply?: (item: Requests[T]["item"]) => void,
  ): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen || this.isClosed) {
        reject(offlineError());
        return;
      }
      const requestId = ++this.requestCount;
      this.pending.set(requestId, {
        type,
        apply: apply as PendingRequest["apply"],
        resolve: resolve as PendingRequest["resolve"],
        reject,
        timer: setTimeout(() => this.drop(`no answer to ${type}`), answerTimeoutMs),
      });
      this.socket.send(JSON.stringify({ type, params, requestId }));
    });
  }

  /** Asks the server for a sign of life now, for example after the device was asleep. */
  ping(): void {
    if (!this.isOpen || this.isClosed || this.pingedAt !== undefined) return;
    this.pingedAt = performance.now();
    this.request("ping", {}).catch(() => {});
    clearTimeout(this.pingTimer);
    this.pingTimer = setTimeout(() => this.check(), pingTimeoutMs);
  }

  /** Closes the connection. `onClose` is called at once. */
  close(): void {
    this.end(1000);
    this.socket.close(1000);
  }

  /** Gives the connection up as lost. */
  drop(why: string): void {
    if (this.isClosed) return;
    this.log.debug(`connection given up: ${why}`);
    this.end(lostConnection);
    this.socket.close();
  }

  private check(): void {
    const now = performance.now();
    if (!this.isOpen) {
      if (now - this.lastReceivedAt >= openTimeoutMs) this.drop("it was not opened in time");
    } else if (this.pingedAt !== undefined) {
      if (now - this.pingedAt >= pingTimeoutMs) this.drop("nothing received");
    } else if (now - this.lastReceivedAt >= silenceMs) this.ping();
  }

  private noteReceived(): void {
    this.lastReceivedAt = performance.now();
    this.pingedAt = undefined;
  }

  private receive(text: string): void {
    if (this.isClosed) return;
    this.noteReceived();
    let frame: Frame | ErrorFrame;
    try {
      frame = JSON.parse(text);
    } catch {
      this.drop("unreadable frame");
      return;
    }
    if (typeof frame !== "object" || frame === null) return;
    const request = frame.requestId === undefined ? undefined : this.pending.get(frame.requestId);
    if (request && frame.requestId !== undefined) {
      this.pending.delete(frame.requestId);
      clearTimeout(request.timer as number);
    }
    if (isErrorFrame(frame)) {
      const { code, message, field, retryAfterMs } = frame;
      request?.reject(new MessengerError(code, message, { field, retryAfterMs }));
      return;
    }
    if (typeof frame.params !== "object" || frame.params === null) return;
    if (request?.apply) request.apply(frame.params.item);
    // An answer that comes twice, or after its time, is not a change.
    else if (request || frame.params.isBroadcast) this.events.onFrame(frame);
    request?.resolve({ data: frame.params.data, item: frame.params.item });
  }

  private end(code: number): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.checkTimer);
    clearTimeout(this.pingTimer);
    this.closing.resolve();
    for (const { reject, timer } of this.pending.values()) {
      clearTimeout(timer as number);
      reject(offlineError());
    }
    this.pending.clear();
    this.events.onClose(code);
  }
}

const isErrorFrame = (frame: Frame | ErrorFrame): frame is ErrorFrame => frame.error === true;

export const offlineError = (): MessengerError =>
  new MessengerError("OFFLINE", "There is no connection to the server, or it was lost before the answer.");
