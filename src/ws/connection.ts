import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Requester } from "../domain/actor.ts";
import type { Claims } from "../domain/session.ts";
import { closeCodes } from "../contract/close-codes.ts";
import type { AnswerFrame, ErrorFrame } from "../contract/frames.ts";
import type { BufferedPush, SyncSnapshot } from "./message-type.ts";
import { SocketWriter, type SocketWriterLimits, textFrame } from "./socket-writer.ts";

/** Bytes waiting for the client, at which its next frame has to wait too. */
const mostUnsent = 256 * 1024;

/** How long after an answer delivery may still come to what it told, in milliseconds. */
const lateAtMostMs = 60_000;

/** How long a burst may take to get through to a client, in milliseconds. */
const burstMs = 1000;

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
  giveUp(): ErrorFrame;
}

/** A request under way. It is the requester of what it causes. */
interface PendingReply {
  request: Request;
  /** Its answer, once there is one. */
  frame?: Buffer;
  /** It stands in the line: delivery has reached its change, and the answer belongs there. */
  placed: boolean;
  /** Of the change that it stands for. */
  chatId?: number | undefined;
  /** The push in whose place the answer stands. */
  push?: Buffer;
  /** The answer is an error, although delivery has reached the change: its commit was in doubt. */
  failed?: boolean;
  /** What the answer tells beside its own change. */
  told?: SyncSnapshot;
}

/**
 * One open socket. Its frames start and are answered in their order; sends may be under way together. A push goes out
 * at once, unless it belongs behind an answer: when delivery reaches the change that a request made, the answer takes
 * that change's place in the line, and what delivery brings after it waits there.
 */
export class Connection {
  /** Whether a pong came since the last ping. */
  alive = true;
  private readonly unread: string[] = [];
  private readonly underWay: PendingReply[] = [];
  private readonly line: (PendingReply | OutgoingPush)[] = [];
  /** Bytes of the pushes in the line. */
  private heldBytes = 0;
  /** Up to which version the last answers told each chat; delivery may reach those changes only now. */
  private caughtUp: { versions: ReadonlyMap<number, number>; until: number } | undefined;
  private next: Request | undefined;
  private draining = false;
  private accepting = true;
  private finished: Promise<void> | undefined;
  private onIdle: (() => void) | undefined;
  private overdue: NodeJS.Timeout | undefined;
  private readonly outbox: SocketWriter;

  /**
   * @param raw the socket beneath the WebSocket
   * @param proven whose socket this is, of which session, and until when
   * @param read says what a frame asks for
   */
  constructor(
    readonly socket: WebSocket,
    raw: Duplex,
    private proven: Claims,
    private readonly read: (text: string, connection: Connection) => Request,
    private readonly limits: ConnectionLimits,
  ) {
    this.outbox = new SocketWriter(socket, raw, limits, this);
  }

  /** Whose socket this is, of which session, and until when. */
  get claims(): Claims {
    return this.proven;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Bytes of all that waits for this client, answers too. */
  get unsentBytes(): number {
    return this.outbox.unsentBytes + this.heldBytes;
  }

  /** Bytes of pushes that wait for this client. */
  get backlogBytes(): number {
    return this.outbox.pushBytes + this.heldBytes;
  }

  /** Goes on under another token of the same person. */
  renew(claims: Claims): void {
    this.proven = claims;
  }

  /** Does what is due by now: ends the connection with its token, and forgets what cannot come any more. */
  tick(now: number): void {
    if (this.isOpen && this.proven.exp * 1000 <= now) this.close(closeCodes.sessionEnded, "token expired");
    if (this.caughtUp && this.caughtUp.until <= now) this.caughtUp = undefined;
    // Pongs, too, wait for a client that does not read.
    this.watchBacklog();
    this.outbox.tick(now);
  }

  /** Takes a frame from the client. */
  receive(text: string): void {
    if (!this.accepting) return;
    this.unread.push(text);
    this.startNext();
    if (this.isBusy) this.socket.pause();
  }

  /** Takes a push, to be written now or behind an answer. */
  push(push: OutgoingPush): void {
    const asker = this.underWay.find((slot) => slot === push.requester);
    if (asker) {
      asker.push = push.frame;
      this.place(asker, push.chatId);
    } else if (this.line.length > 0) this.enqueue(push);
    else this.write(push);
  }

  /** Holds pushes back until this request is answered; then those go out that are news after what it told. */
  bufferPushes(requester: Requester): (told: SyncSnapshot) => void {
    const asker = this.underWay.find((slot) => slot === requester);
    if (asker) this.place(asker);
    return (told) => {
      if (asker) asker.told = told;
    };
  }

  /** Takes no more frames, and settles when all that were taken are answered. */
  finish(): Promise<void> {
    this.accepting = false;
    // A client that does not read must not keep the server from stopping.
    this.draining = false;
    this.finished ??= new Promise((resolve) => {
      this.onIdle = resolve;
    });
    this.startNext();
    this.settleIfIdle();
    return this.finished;
  }

  /** Answers what was taken and can no longer be waited for. */
  giveUpRequests(): void {
    const taken = this.unread.splice(0).map((text) => this.read(text, this));
    if (this.next) taken.unshift(this.next);
    this.next = undefined;
    for (const request of taken) this.underWay.push({ request, placed: false });
    for (const slot of this.underWay) if (!slot.frame) this.fill(slot, slot.request.giveUp());
    this.flush();
  }

  /**
   * Closes with a code of the contract. What was taken and not begun is dropped, also where the client has gone by
   * itself: whoever sent it may no longer.
   */
  close(code: number, reason: string): void {
    this.accepting = false;
    this.unread.length = 0;
    this.next = undefined;
    if (!this.isOpen) return;
    this.socket.close(code, reason);
    // A socket that is not read would never see the client's own close frame. `ws` cuts off who sends none.
    this.socket.resume();
  }

  /** Closes a socket whose client reads too slowly. */
  giveUp(): void {
    this.close(closeCodes.tooSlow, "read faster, and sync");
  }

  private get isBusy(): boolean {
    return this.unread.length + this.underWay.length >= this.limits.unanswered;
  }

  private place(slot: PendingReply, chatId?: number): void {
    if (slot.placed) return;
    slot.placed = true;
    slot.chatId = chatId;
    this.line.push(slot);
  }

  /** Starts what may start now: anything when nothing is under way, a send beside other sends. */
  private startNext(): void {
    while (!this.draining && this.underWay.length < this.limits.unanswered) {
      const text = this.next ? undefined : this.unread.shift();
      if (text !== undefined) this.next = this.read(text, this);
      const request = this.next;
      const mayStart =
        this.underWay.length === 0 || (request?.pipelined && this.underWay.every((slot) => slot.request.pipelined));
      if (!request || !mayStart) return;
      this.next = undefined;
      void this.run(request);
    }
  }

  private async run(request: Request): Promise<void> {
    const slot: PendingReply = { request, placed: false };
    this.underWay.push(slot);
    const answer = await request.answer(slot);
    if (slot.frame) return;
    this.fill(slot, answer);
    this.flush();
    this.startNext();
    if (this.socket.isPaused && !this.isBusy) this.socket.resume();
    this.settleIfIdle();
  }

  private fill(slot: PendingReply, answer: AnswerFrame | ErrorFrame): void {
    slot.failed = "error" in answer;
    slot.frame = textFrame(JSON.stringify(answer));
  }

  /** Writes what is ready, in order: answers in the order of the requests, and the line from its head. */
  private flush(): void {
    for (;;) {
      const [oldest] = this.underWay;
      const [head] = this.line;
      if (head && !isSlot(head)) {
        this.line.shift();
        this.dequeue(head);
      } else if (oldest?.frame !== undefined) this.writeAnswer(oldest, oldest.frame);
      else return;
    }
  }

  private writeAnswer(slot: PendingReply, frame: Buffer): void {
    this.underWay.shift();
    if (slot.placed) this.leaveLine(slot);
    if (slot.failed && slot.push !== undefined) this.outbox.push(slot.push, { ephemeral: false });
    if (slot.told) this.noteTold(slot.told);
    this.outbox.answer(frame, () => {
      if (!this.draining || this.outbox.unsentAnswerBytes > mostUnsent) return;
      this.draining = false;
      this.startNext();
    });
    this.draining ||= this.accepting && this.outbox.unsentAnswerBytes > mostUnsent;
  }

  /**
   * Takes an answer out of the line. Most often it is at the head; one that delivery reached after the answer to a later
   * request, which is about another chat, overtakes it, behind the pushes of its own chat.
   */
  private leaveLine(slot: PendingReply): void {
    const before = this.line.slice(0, this.line.indexOf(slot));
    const rest = before.filter((entry) => isSlot(entry) || entry.chatId !== slot.chatId);
    for (const entry of before) if (!isSlot(entry) && entry.chatId === slot.chatId) this.dequeue(entry);
    this.line.splice(0, before.length + 1, ...rest);
  }

  private enqueue(push: OutgoingPush): void {
    this.line.push(push);
    this.heldBytes += push.frame.length;
    this.watchBacklog();
  }

  private dequeue(push: OutgoingPush): void {
    this.heldBytes -= push.frame.length;
    this.write(push);
  }

  private write(push: OutgoingPush): void {
    if (this.isTold(push)) return;
    this.outbox.push(push.frame, { ephemeral: push.ephemeral ?? false });
    this.watchBacklog();
  }

  /** Gives the client up when more waits for it than may, and still does when a burst would have got through. */
  private watchBacklog(): void {
    if (this.overdue || !this.isBehind) return;
    this.overdue = setTimeout(() => {
      this.overdue = undefined;
      if (this.isBehind) this.giveUp();
    }, burstMs).unref();
  }

  private get isBehind(): boolean {
    return this.backlogBytes > this.limits.pushBytes;
  }

  /** Drops what was held back and is no news after this answer, also what delivery brings of it from now on. */
  private noteTold({ isNewerThanSnapshot: isNews, versions }: SyncSnapshot): void {
    for (const entry of this.line) if (!isSlot(entry) && !isNews(entry)) this.heldBytes -= entry.frame.length;
    this.line.splice(0, this.line.length, ...this.line.filter((entry) => isSlot(entry) || isNews(entry)));
    const before = this.caughtUp?.versions ?? [];
    this.caughtUp = { versions: new Map([...before, ...versions]), until: Date.now() + lateAtMostMs };
  }

  private isTold({ chatId, version }: BufferedPush): boolean {
    if (!this.caughtUp || chatId === undefined || version === undefined) return false;
    return version <= (this.caughtUp.versions.get(chatId) ?? 0);
  }

  private settleIfIdle(): void {
    if (this.underWay.length === 0 && this.unread.length === 0 && !this.next) this.onIdle?.();
  }
}

const isSlot = (entry: PendingReply | OutgoingPush): entry is PendingReply => "placed" in entry;
