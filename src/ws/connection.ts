import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { type CloseReason, closeCodes } from "../contract/close-codes.ts";
import type { Requester } from "../domain/actor.ts";
import type { Claims } from "../domain/session.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { SyncSnapshot } from "./message-type.ts";
import { type FrameSink, type OutgoingPush, ReplyOrder, type Request } from "./reply-order.ts";
import { SocketWriter, type SocketWriterLimits } from "./socket-writer.ts";

/** Unsent bytes of replies above which the client's next request has to wait. */
const maxUnsentReplyBytes = 256 * 1024;

/** How long a client may exceed its limit of unsent pushes, in milliseconds. Bursts are not a reason to disconnect. */
const burstToleranceMs = 1000;

/** The limits of one connection. */
export interface ConnectionLimits extends SocketWriterLimits {
  /** The number of received and unanswered frames at which the socket is paused. */
  unanswered: number;
}

/** Turns a frame into a request. */
export interface FrameReader {
  read(connection: Connection, text: string): Request;
}

/**
 * One open socket. A frame takes this way: `receive` queues it, `startNext` reads it into a request and starts it as soon
 * as the requests before it allow, `run` executes it, and `ReplyOrder` sends the reply when its turn comes.
 */
export class Connection implements FrameSink {
  /** Whether a pong was received since the last ping. */
  alive = true;
  private readonly receivedFrames: string[] = [];
  private readonly replies: ReplyOrder;
  private readonly writer: SocketWriter;
  /** Read, but not allowed to start yet. */
  private nextRequest: Request | undefined;
  /** Whether no request is started because the client has not read the replies before. */
  private isWaitingForClient = false;
  private isAccepting = true;
  private finished: Promise<void> | undefined;
  private onIdle: (() => void) | undefined;
  private backlogTimer: NodeJS.Timeout | undefined;
  /** The code with which the server has closed it. */
  private closeCode: number | undefined;

  /**
   * @param raw the socket beneath the WebSocket
   * @param currentClaims the user, the session and the expiry of the token
   * @param id of the request that opened it, for the log
   * @param metrics counts the pushes
   */
  constructor(
    readonly socket: WebSocket,
    raw: Duplex,
    private currentClaims: Claims,
    private readonly reader: FrameReader,
    private readonly limits: ConnectionLimits,
    readonly id = "",
    metrics?: Pick<Metrics, "pushes" | "droppedPushes">,
  ) {
    this.replies = new ReplyOrder(this);
    this.writer = new SocketWriter(socket, raw, limits, this, metrics);
  }

  /** The user, the session and the expiry of the token. */
  get claims(): Claims {
    return this.currentClaims;
  }

  get userId(): number {
    return this.currentClaims.userId;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** The code with which the server has closed it; undefined while it is open, and if the client has closed it. */
  get sentCloseCode(): number | undefined {
    return this.closeCode;
  }

  /** Unsent bytes of pushes and replies. */
  get unsentBytes(): number {
    return this.writer.unsentBytes + this.replies.queuedPushBytes;
  }

  /** Unsent bytes of pushes. */
  get backlogBytes(): number {
    return this.writer.pushBytes + this.replies.queuedPushBytes;
  }

  /** Notes that the user has confirmed the e-mail address. */
  markVerified(): void {
    this.currentClaims = { ...this.currentClaims, isUnverified: false };
  }

  /** Continues with another token of the same user. */
  renew(claims: Claims): void {
    this.currentClaims = claims;
  }

  /**
   * Closes the connection if its token has expired or its client reads too slowly. To be called about once a second.
   * @param now in milliseconds of the monotonic clock
   */
  tick(now: number): void {
    // Tokens expire by the wall clock.
    if (this.isOpen && this.claims.exp * 1000 <= Date.now()) this.close(closeCodes.sessionEnded, "token expired");
    this.replies.tick(now);
    // Pongs also wait for a client that does not read.
    this.checkBacklog();
    this.writer.tick(now);
  }

  /** Receives a frame from the client. */
  receive(text: string): void {
    if (!this.isAccepting) return;
    this.receivedFrames.push(text);
    this.startNext();
    if (this.isBusy) this.socket.pause();
  }

  /** Sends a push, now or after a pending reply. */
  push(push: OutgoingPush): void {
    this.replies.push(push);
    this.checkBacklog();
  }

  /** Buffers pushes until this request is answered. Of those, the ones newer than the snapshot are then sent. */
  bufferPushes(requester: Requester): (snapshot: SyncSnapshot) => void {
    return this.replies.bufferPushes(requester);
  }

  /** Accepts no more frames. Settles when all received ones are answered. */
  finish(): Promise<void> {
    this.isAccepting = false;
    // A client that does not read must not keep the server from stopping.
    this.isWaitingForClient = false;
    this.finished ??= new Promise((resolve) => {
      this.onIdle = resolve;
    });
    this.startNext();
    this.notifyIfIdle();
    return this.finished;
  }

  /** Answers all received frames that are not answered yet with an error. */
  abortPending(): void {
    const notStarted = this.receivedFrames.splice(0).map((text) => this.reader.read(this, text));
    if (this.nextRequest) notStarted.unshift(this.nextRequest);
    this.nextRequest = undefined;
    for (const request of notStarted) this.replies.start(request);
    this.replies.abort();
  }

  /**
   * Closes the socket with one of the contract's codes. Received requests that have not started are dropped, also if the
   * client has closed the socket itself: its session may have ended.
   */
  close(code: number, reason: CloseReason): void {
    this.isAccepting = false;
    this.receivedFrames.length = 0;
    this.nextRequest = undefined;
    if (!this.isOpen) return;
    this.closeCode = code;
    this.socket.close(code, reason);
    // A paused socket would never see the client's close frame. `ws` terminates sockets that receive none in time.
    this.socket.resume();
  }

  /** Closes the socket because its client reads too slowly. */
  closeAsTooSlow(): void {
    this.close(closeCodes.tooSlow, "too slow: reconnect and sync");
  }

  /** Called by `ReplyOrder`: writes a reply, and pauses the requests while too much is unsent. */
  sendReply(frame: Buffer): void {
    this.writer.reply(frame, () => {
      if (!this.isWaitingForClient || this.writer.unsentReplyBytes > maxUnsentReplyBytes) return;
      this.isWaitingForClient = false;
      this.startNext();
    });
    this.isWaitingForClient ||= this.isAccepting && this.writer.unsentReplyBytes > maxUnsentReplyBytes;
  }

  /** Called by `ReplyOrder`: writes a push. */
  sendPush(push: OutgoingPush): void {
    this.writer.push(push);
  }

  private get isBusy(): boolean {
    return this.receivedFrames.length + this.replies.pendingCount >= this.limits.unanswered;
  }

  /** Starts all requests that may start now. */
  private startNext(): void {
    while (!this.isWaitingForClient && this.replies.pendingCount < this.limits.unanswered) {
      const text = this.nextRequest ? undefined : this.receivedFrames.shift();
      if (text !== undefined) this.nextRequest = this.reader.read(this, text);
      const request = this.nextRequest;
      if (!request || !this.replies.mayStart(request)) return;
      this.nextRequest = undefined;
      void this.run(request);
    }
  }

  private async run(request: Request): Promise<void> {
    const reply = this.replies.start(request);
    const answer = await request.answer(reply);
    // Aborted meanwhile.
    if (reply.frame) return;
    const bytes = this.replies.answer(reply, answer);
    request.answered?.(bytes);
    this.startNext();
    if (this.socket.isPaused && !this.isBusy) this.socket.resume();
    this.notifyIfIdle();
  }

  private notifyIfIdle(): void {
    if (this.replies.pendingCount === 0 && this.receivedFrames.length === 0 && !this.nextRequest) this.onIdle?.();
  }

  /** Closes the socket if too many pushes are unsent, and still are after the time that a burst may take. */
  private checkBacklog(): void {
    if (this.backlogTimer || !this.isBehind) return;
    this.backlogTimer = setTimeout(() => {
      this.backlogTimer = undefined;
      if (this.isBehind) this.closeAsTooSlow();
    }, burstToleranceMs).unref();
  }

  private get isBehind(): boolean {
    return this.backlogBytes > this.limits.pushBytes;
  }
}
