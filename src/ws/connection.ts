import type { WebSocket } from "ws";
import { closeCodes } from "../contract/close-codes.ts";
import type { AnswerFrame, ErrorFrame } from "../contract/frames.ts";
import type { Origin } from "../delivery/delivery.ts";
import type { Claims } from "../services/tokens.ts";
import type { HeldPush } from "./message.ts";

/** Frames read and not answered yet, at which the socket is no longer read. */
const mostUnanswered = 32;

/** Bytes waiting for the client, at which its next frame has to wait too. */
const mostUnsent = 256 * 1024;

/** The longest time that a timer of Node can wait, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/** A push on its way to a socket. */
export interface OutgoingPush extends HeldPush {
  /** The frame, already written as text. */
  frame: string;
  /** The request that caused it. */
  origin?: Origin | undefined;
}

/** A frame that was read: what answers it, and whether the next one may start before that. */
export interface Request {
  /** Like sends, which need not wait for each other to be stored. */
  pipelined: boolean;
  answer(origin: Origin): Promise<AnswerFrame | ErrorFrame>;
}

/** A request under way. It is the origin of what it causes. */
interface Slot {
  pipelined: boolean;
  /** Its answer, once there is one. */
  frame?: string;
  /** It stands in the line: delivery has reached its change, and the answer belongs there. */
  placed: boolean;
  /** Of the change that it stands for. */
  chatId?: number | undefined;
  /** The push in whose place the answer stands. */
  push?: string;
  /** The answer is an error, although delivery has reached the change: its commit was in doubt. */
  failed?: boolean;
  /** Which of the pushes behind it go out. */
  keep?: (push: HeldPush) => boolean;
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
  private readonly underWay: Slot[] = [];
  private readonly line: (Slot | OutgoingPush)[] = [];
  private next: Request | undefined;
  private draining = false;
  private accepting = true;
  private onIdle: () => void = () => {};
  private expiry: NodeJS.Timeout | undefined;
  private proven: Claims;

  constructor(
    readonly socket: WebSocket,
    claims: Claims,
    private readonly read: (text: string) => Request,
  ) {
    this.proven = claims;
    this.armExpiry();
    socket.once("close", () => clearTimeout(this.expiry));
  }

  /** Whose socket this is, of which session, and until when. */
  get claims(): Claims {
    return this.proven;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Goes on under another token of the same person. */
  renew(claims: Claims): void {
    this.proven = claims;
    this.armExpiry();
  }

  /** Takes a frame from the client. */
  receive(text: string): void {
    if (!this.accepting) return;
    this.unread.push(text);
    this.startNext();
    if (this.unread.length + this.underWay.length >= mostUnanswered) this.socket.pause();
  }

  /** Takes a push, to be written now or behind an answer. */
  push(push: OutgoingPush): void {
    const asker = this.underWay.find((slot) => slot === push.origin);
    if (asker) {
      asker.push = push.frame;
      this.place(asker, push.chatId);
    } else if (this.line.length > 0) this.line.push(push);
    else this.socket.send(push.frame);
  }

  /** Holds pushes back until this request is answered; then those go out that are kept. */
  hold(origin: Origin): (keep: (push: HeldPush) => boolean) => void {
    const asker = this.underWay.find((slot) => slot === origin);
    if (asker) this.place(asker);
    return (keep) => {
      if (asker) asker.keep = keep;
    };
  }

  /** Takes no more frames, and settles when all that were taken are answered. */
  finish(): Promise<void> {
    this.accepting = false;
    // A client that does not read must not keep the server from stopping.
    this.draining = false;
    this.startNext();
    return new Promise((resolve) => {
      this.onIdle = resolve;
      this.settleIfIdle();
    });
  }

  /** Closes with a code of the contract. What was taken and not begun is dropped: whoever sent it may no longer. */
  close(code: number, reason: string): void {
    this.accepting = false;
    this.unread.length = 0;
    this.next = undefined;
    this.socket.close(code, reason);
    // A socket that is not read would never see the client's own close frame.
    this.socket.resume();
  }

  private place(slot: Slot, chatId?: number): void {
    if (slot.placed) return;
    slot.placed = true;
    slot.chatId = chatId;
    this.line.push(slot);
  }

  /** Starts what may start now: anything when nothing is under way, a send beside other sends. */
  private startNext(): void {
    while (!this.draining) {
      const text = this.next ? undefined : this.unread.shift();
      if (text !== undefined) this.next = this.read(text);
      const request = this.next;
      const mayStart =
        this.underWay.length === 0 || (request?.pipelined && this.underWay.every((slot) => slot.pipelined));
      if (!request || !mayStart) return;
      this.next = undefined;
      void this.run(request);
    }
  }

  private async run(request: Request): Promise<void> {
    const slot: Slot = { pipelined: request.pipelined, placed: false };
    this.underWay.push(slot);
    const answer = await request.answer(slot);
    slot.failed = "error" in answer;
    slot.frame = JSON.stringify(answer);
    this.flush();
    if (this.socket.isPaused && this.unread.length + this.underWay.length < mostUnanswered) this.socket.resume();
    this.startNext();
    this.settleIfIdle();
  }

  /** Writes what is ready, in order: answers in the order of the requests, and the line from its head. */
  private flush(): void {
    for (;;) {
      const [oldest] = this.underWay;
      const [head] = this.line;
      if (head && !isSlot(head)) {
        this.line.shift();
        this.socket.send(head.frame);
      } else if (oldest?.frame !== undefined) this.writeAnswer(oldest, oldest.frame);
      else return;
    }
  }

  private writeAnswer(slot: Slot, frame: string): void {
    this.underWay.shift();
    if (slot.placed) this.leaveLine(slot);
    if (slot.failed && slot.push !== undefined) this.socket.send(slot.push);
    const { keep } = slot;
    if (keep) this.line.splice(0, this.line.length, ...this.line.filter((entry) => isSlot(entry) || keep(entry)));
    this.socket.send(frame, () => {
      if (!this.draining) return;
      this.draining = false;
      this.startNext();
    });
    this.draining ||= this.accepting && this.socket.bufferedAmount > mostUnsent;
  }

  /**
   * Takes an answer out of the line. Most often it is at the head; one that delivery reached after the answer to a later
   * request, which is about another chat, overtakes it, behind the pushes of its own chat.
   */
  private leaveLine(slot: Slot): void {
    const before = this.line.slice(0, this.line.indexOf(slot));
    const rest = before.filter((entry) => isSlot(entry) || entry.chatId !== slot.chatId);
    for (const entry of before) if (!isSlot(entry) && entry.chatId === slot.chatId) this.socket.send(entry.frame);
    this.line.splice(0, before.length + 1, ...rest);
  }

  private settleIfIdle(): void {
    if (this.underWay.length === 0 && this.unread.length === 0 && !this.next) this.onIdle();
  }

  /** A socket lives no longer than the token it was opened with. */
  private armExpiry(): void {
    clearTimeout(this.expiry);
    const leftMs = this.proven.expiresAt.getTime() - Date.now();
    const end = () => this.close(closeCodes.sessionEnded, "token expired");
    const again = () => (leftMs > longestTimerMs ? this.armExpiry() : end());
    this.expiry = setTimeout(again, Math.min(leftMs, longestTimerMs)).unref();
  }
}

const isSlot = (entry: Slot | OutgoingPush): entry is Slot => "placed" in entry;
