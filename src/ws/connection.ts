import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { closeCodes } from "../contract/close-codes.ts";
import type { AnswerFrame, ErrorFrame } from "../contract/frames.ts";
import type { Requester } from "../delivery/delivery.ts";
import type { Claims } from "../services/accounts/tokens.ts";
import type { BufferedPush, SyncSnapshot } from "./message-type.ts";
import { SocketWriter, type SocketWriterLimits, textFrame } from "./socket-writer.ts";

/** Bytes waiting for the client, at which its next frame has to wait too. */
const maxUnsentReplyBytes = 256 * 1024;

/** How long after an answer delivery may still come to what it told, in milliseconds. */
const snapshotLifetimeMs = 60_000;

/** How long a burst may take to get through to a client, in milliseconds. */
const burstToleranceMs = 1000;

/** What one connection may keep the server busy with. */
export interface ConnectionLimits extends SocketWriterLimits {
  /** Frames read and not answered yet, at which the socket is no longer read. */
  unanswered: number;
}

/** A push on its way to a socket. */
export interface OutgoingPush extends BufferedPush {
  /** The whole WebSocket frame, the same for everyone. */
  frame: Buffer;
  /** May be dropped for a client that is slow to read. */
  ephemeral?: true;
  /** The request that caused it. */
  requester?: Requester | undefined;
}

/** A frame that was read: what answers it, and whether the next one may start before that. */
export interface Request {
  /** Like sends, which need not wait for each other to be stored. */
  pipelined: boolean;
  answer(requester: Requester): Promise<AnswerFrame | ErrorFrame>;
  /** What answers it when there is no time left for that: its outcome is unknown. */
  abort(): ErrorFrame;
}

/** A request under way. It is the requester of what it causes. */
interface PendingReply {
  request: Request;
  /** Its answer, once there is one. */
  frame?: Buffer;
  /** It stands in the line: delivery has reached its change, and the answer belongs there. */
  isQueued: boolean;
  /** Of the change that it stands for. */
  chatId?: number | undefined;
  /** The push in whose place the answer stands. */
  ownPush?: Buffer;
  /** The answer is an error, although delivery has reached the change: its commit was in doubt. */
  failed?: boolean;
  /** What the answer tells beside its own change. */
  snapshot?: SyncSnapshot;
}

/**
 * One open socket. Its frames start and are answered in their order; sends may be under way together. A push goes out
 * at once, unless it belongs behind an answer: when delivery reaches the change that a request made, the answer takes
 * that change's place in the line, and what delivery brings after it waits there.
 */
export class Connection {
  /** Whether a pong came since the last ping. */
  alive = true;
  private readonly receivedFrames: string[] = [];
  private readonly pendingReplies: PendingReply[] = [];
  private readonly orderedQueue: (PendingReply | OutgoingPush)[] = [];
  /** Bytes of the pushes in the line. */
  private bufferedBytes = 0;
  /** Up to which version the last answers told each chat; delivery may reach those changes only now. */
  private lastSnapshot: { versions: ReadonlyMap<number, number>; until: number } | undefined;
  private nextRequest: Request | undefined;
  private isWaitingForClient = false;
  private accepting = true;
  private finished: Promise<void> | undefined;
  private onIdle: (() => void) | undefined;
  private backlogTimer: NodeJS.Timeout | undefined;
  private readonly writer: SocketWriter;

  /**
   * @param raw the socket beneath the WebSocket
   * @param currentClaims whose socket this is, of which session, and until when
   * @param read says what a frame asks for
   */
  constructor(
    readonly socket: WebSocket,
    raw: Duplex,
    private currentClaims: Claims,
    private readonly read: (text: string, connection: Connection) => Request,
    private readonly limits: ConnectionLimits,
  ) {
    this.writer = new SocketWriter(socket, raw, limits, this);
  }

  /** Whose socket this is, of which session, and until when. */
  get claims(): Claims {
    return this.currentClaims;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Bytes of all that waits for this client, answers too. */
  get unsentBytes(): number {
    return this.writer.unsentBytes + this.bufferedBytes;
  }

  /** Bytes of pushes that wait for this client. */
  get backlogBytes(): number {
    return this.writer.pushBytes + this.bufferedBytes;
  }

  /** Goes on under another token of the same person. */
  renew(claims: Claims): void {
    this.currentClaims = claims;
  }

  /** Does what is due by now: ends the connection with its token, and forgets what cannot come any more. */
  tick(now: number): void {
    if (this.isOpen && this.currentClaims.exp * 1000 <= now) this.close(closeCodes.sessionEnded, "token expired");
    if (this.lastSnapshot && this.lastSnapshot.until <= now) this.lastSnapshot = undefined;
    // Pongs, too, wait for a client that does not read.
    this.watchBacklog();
    this.writer.tick(now);
  }

  /** Takes a frame from the client. */
  receive(text: string): void {
    if (!this.accepting) return;
    this.receivedFrames.push(text);
    this.startNext();
    if (this.isBusy) this.socket.pause();
  }

  /** Takes a push, to be written now or behind an answer. */
  push(push: OutgoingPush): void {
    const pending = this.pendingReplies.find((reply) => reply === push.requester);
    if (pending) {
      pending.ownPush = push.frame;
      this.enqueueReply(pending, push.chatId);
    } else if (this.orderedQueue.length > 0) this.enqueuePush(push);
    else this.writePush(push);
  }

  /** Holds pushes back until this request is answered; then those go out that are news after what it told. */
  bufferPushes(requester: Requester): (snapshot: SyncSnapshot) => void {
    const pending = this.pendingReplies.find((reply) => reply === requester);
    if (pending) this.enqueueReply(pending);
    return (snapshot) => {
      if (pending) pending.snapshot = snapshot;
    };
  }

  /** Takes no more frames, and settles when all that were taken are answered. */
  finish(): Promise<void> {
    this.accepting = false;
    // A client that does not read must not keep the server from stopping.
    this.isWaitingForClient = false;
    this.finished ??= new Promise((resolve) => {
      this.onIdle = resolve;
    });
    this.startNext();
    this.notifyIfIdle();
    return this.finished;
  }

  /** Answers what was taken and can no longer be waited for. */
  abortPending(): void {
    const taken = this.receivedFrames.splice(0).map((text) => this.read(text, this));
    if (this.nextRequest) taken.unshift(this.nextRequest);
    this.nextRequest = undefined;
    for (const request of taken) this.pendingReplies.push({ request, isQueued: false });
    for (const reply of this.pendingReplies) if (!reply.frame) this.settle(reply, reply.request.abort());
    this.flush();
  }

  /**
   * Closes with a code of the contract. What was taken and not begun is dropped, also where the client has gone by
   * itself: whoever sent it may no longer.
   */
  close(code: number, reason: string): void {
    this.accepting = false;
    this.receivedFrames.length = 0;
    this.nextRequest = undefined;
    if (!this.isOpen) return;
    this.socket.close(code, reason);
    // A socket that is not read would never see the client's own close frame. `ws` cuts off who sends none.
    this.socket.resume();
  }

  /** Closes a socket whose client reads too slowly. */
  closeAsTooSlow(): void {
    this.close(closeCodes.tooSlow, "read faster, and sync");
  }

  private get isBusy(): boolean {
    return this.receivedFrames.length + this.pendingReplies.length >= this.limits.unanswered;
  }

  private enqueueReply(reply: PendingReply, chatId?: number): void {
    if (reply.isQueued) return;
    reply.isQueued = true;
    reply.chatId = chatId;
    this.orderedQueue.push(reply);
  }

  /** Starts what may start now: anything when nothing is under way, a send beside other sends. */
  private startNext(): void {
    while (!this.isWaitingForClient && this.pendingReplies.length < this.limits.unanswered) {
      const text = this.nextRequest ? undefined : this.receivedFrames.shift();
      if (text !== undefined) this.nextRequest = this.read(text, this);
      const request = this.nextRequest;
      const mayStart =
        this.pendingReplies.length === 0 ||
        (request?.pipelined && this.pendingReplies.every((reply) => reply.request.pipelined));
      if (!request || !mayStart) return;
      this.nextRequest = undefined;
      void this.run(request);
    }
  }

  private async run(request: Request): Promise<void> {
    const reply: PendingReply = { request, isQueued: false };
    this.pendingReplies.push(reply);
    const answer = await request.answer(reply);
    if (reply.frame) return;
    this.settle(reply, answer);
    this.flush();
    this.startNext();
    if (this.socket.isPaused && !this.isBusy) this.socket.resume();
    this.notifyIfIdle();
  }

  private settle(reply: PendingReply, answer: AnswerFrame | ErrorFrame): void {
    reply.failed = "error" in answer;
    reply.frame = textFrame(JSON.stringify(answer));
  }

  /** Writes what is ready, in order: answers in the order of the requests, and the line from its head. */
  private flush(): void {
    for (;;) {
      const [oldest] = this.pendingReplies;
      const [head] = this.orderedQueue;
      if (head && !isReply(head)) {
        this.orderedQueue.shift();
        this.dequeuePush(head);
      } else if (oldest?.frame !== undefined) this.writeReply(oldest, oldest.frame);
      else return;
    }
  }

  private writeReply(reply: PendingReply, frame: Buffer): void {
    this.pendingReplies.shift();
    if (reply.isQueued) this.dequeueReply(reply);
    if (reply.failed && reply.ownPush !== undefined) this.writer.push(reply.ownPush, { ephemeral: false });
    if (reply.snapshot) this.applySnapshot(reply.snapshot);
    this.writer.reply(frame, () => {
      if (!this.isWaitingForClient || this.writer.unsentReplyBytes > maxUnsentReplyBytes) return;
      this.isWaitingForClient = false;
      this.startNext();
    });
    this.isWaitingForClient ||= this.accepting && this.writer.unsentReplyBytes > maxUnsentReplyBytes;
  }

  /**
   * Takes an answer out of the line. Most often it is at the head; one that delivery reached after the answer to a later
   * request, which is about another chat, overtakes it, behind the pushes of its own chat.
   */
  private dequeueReply(reply: PendingReply): void {
    const before = this.orderedQueue.slice(0, this.orderedQueue.indexOf(reply));
    const rest = before.filter((entry) => isReply(entry) || entry.chatId !== reply.chatId);
    for (const entry of before) if (!isReply(entry) && entry.chatId === reply.chatId) this.dequeuePush(entry);
    this.orderedQueue.splice(0, before.length + 1, ...rest);
  }

  private enqueuePush(push: OutgoingPush): void {
    this.orderedQueue.push(push);
    this.bufferedBytes += push.frame.length;
    this.watchBacklog();
  }

  private dequeuePush(push: OutgoingPush): void {
    this.bufferedBytes -= push.frame.length;
    this.writePush(push);
  }

  private writePush(push: OutgoingPush): void {
    if (this.isInSnapshot(push)) return;
    this.writer.push(push.frame, { ephemeral: push.ephemeral ?? false });
    this.watchBacklog();
  }

  /** Gives the client up when more waits for it than may, and still does when a burst would have got through. */
  private watchBacklog(): void {
    if (this.backlogTimer || !this.isBehind) return;
    this.backlogTimer = setTimeout(() => {
      this.backlogTimer = undefined;
      if (this.isBehind) this.closeAsTooSlow();
    }, burstToleranceMs).unref();
  }

  private get isBehind(): boolean {
    return this.backlogBytes > this.limits.pushBytes;
  }

  /** Drops what was held back and is no news after this answer, also what delivery brings of it from now on. */
  private applySnapshot({ isNewerThanSnapshot, versions }: SyncSnapshot): void {
    for (const entry of this.orderedQueue)
      if (!isReply(entry) && !isNewerThanSnapshot(entry)) this.bufferedBytes -= entry.frame.length;
    this.orderedQueue.splice(
      0,
      this.orderedQueue.length,
      ...this.orderedQueue.filter((entry) => isReply(entry) || isNewerThanSnapshot(entry)),
    );
    const before = this.lastSnapshot?.versions ?? [];
    this.lastSnapshot = { versions: new Map([...before, ...versions]), until: Date.now() + snapshotLifetimeMs };
  }

  private isInSnapshot({ chatId, version }: BufferedPush): boolean {
    if (!this.lastSnapshot || chatId === undefined || version === undefined) return false;
    return version <= (this.lastSnapshot.versions.get(chatId) ?? 0);
  }

  private notifyIfIdle(): void {
    if (this.pendingReplies.length === 0 && this.receivedFrames.length === 0 && !this.nextRequest) this.onIdle?.();
  }
}

const isReply = (entry: PendingReply | OutgoingPush): entry is PendingReply => "isQueued" in entry;
