import type { WebSocket } from "ws";
import type { AnswerFrame, ErrorFrame } from "../contract/frames.ts";
import type { Origin } from "../delivery/delivery.ts";
import { closeCodes } from "../contract/close-codes.ts";
import type { Claims } from "../services/tokens.ts";

/** Frames read and not answered yet, at which the socket is no longer read. */
const mostUnanswered = 32;

/** Bytes waiting for the client, at which its next frame has to wait too. */
const mostUnsent = 256 * 1024;

/** The longest time that a timer of Node can wait, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

type Answer = (text: string, origin: Origin) => Promise<AnswerFrame | ErrorFrame>;

/**
 * One open socket. Its frames are answered one at a time, in their order. A push goes out at once, unless it belongs
 * behind an answer: when delivery has reached the change that the request under way made, the answer takes that
 * change's place, and everything that delivery brings after it waits for the answer.
 */
export class Connection {
  /** Whether a pong came since the last ping. */
  alive = true;
  private readonly unanswered: string[] = [];
  private readonly held: string[] = [];
  private current: Origin | undefined;
  private holding = false;
  private working = false;
  private accepting = true;
  private onIdle: () => void = () => {};
  private expiry: NodeJS.Timeout | undefined;
  private proven: Claims;

  constructor(
    readonly socket: WebSocket,
    claims: Claims,
    private readonly answer: Answer,
  ) {
    this.proven = claims;
    this.armExpiry();
    socket.once("close", () => clearTimeout(this.expiry));
  }

  /** Whose socket this is, of which session, and until when. */
  get claims(): Claims {
    return this.proven;
  }

  /** Goes on under another token of the same person. */
  renew(claims: Claims): void {
    this.proven = claims;
    this.armExpiry();
  }

  /** Takes a frame from the client. */
  receive(text: string): void {
    if (!this.accepting) return;
    this.unanswered.push(text);
    if (this.unanswered.length >= mostUnanswered) this.socket.pause();
    if (!this.working) void this.answerAll();
  }

  /** Takes a push, already written as text. `origin` is the request that caused it. */
  push(frame: string, origin: Origin | undefined): void {
    if (origin !== undefined && origin === this.current) this.holding = true;
    else if (this.holding) this.held.push(frame);
    else this.socket.send(frame);
  }

  /** Takes no more frames, and settles when all that were taken are answered. */
  finish(): Promise<void> {
    this.accepting = false;
    return new Promise((resolve) => {
      this.onIdle = resolve;
      if (!this.working) resolve();
    });
  }

  /** Closes with a code of the contract. What was taken and not begun is dropped: whoever sent it may no longer. */
  close(code: number, reason: string): void {
    this.accepting = false;
    this.unanswered.length = 0;
    this.socket.close(code, reason);
    // A socket that is not read would never see the client's own close frame.
    this.socket.resume();
  }

  /** A socket lives no longer than the token it was opened with. */
  private armExpiry(): void {
    clearTimeout(this.expiry);
    const leftMs = this.proven.expiresAt.getTime() - Date.now();
    const end = () => this.close(closeCodes.sessionEnded, "token expired");
    this.expiry = setTimeout(
      () => (leftMs > longestTimerMs ? this.armExpiry() : end()),
      Math.min(leftMs, longestTimerMs),
    );
    this.expiry.unref();
  }

  private async answerAll(): Promise<void> {
    this.working = true;
    for (let text = this.unanswered.shift(); text !== undefined; text = this.unanswered.shift()) {
      this.current = {};
      const frame = await this.answer(text, this.current);
      this.current = undefined;
      const sent = this.send(JSON.stringify(frame));
      this.holding = false;
      for (const push of this.held.splice(0)) this.socket.send(push);
      if (this.socket.bufferedAmount > mostUnsent) await sent;
      if (this.socket.isPaused && this.unanswered.length < mostUnanswered) this.socket.resume();
    }
    this.working = false;
    this.onIdle();
  }

  private send(frame: string): Promise<void> {
    return new Promise((resolve) => this.socket.send(frame, () => resolve()));
  }
}
