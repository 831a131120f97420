import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";

/** What may wait to be sent before a socket counts as too slow. */
export interface SocketWriterLimits {
  /** Bytes waiting, over which typing and presence are not sent any more. */
  ephemeralBytes: number;
  /** Bytes of pushes waiting, over which the socket is given up; a burst may take a moment to get through. */
  pushBytes: number;
  /** How long the client may take no byte of what waits, in milliseconds. */
  stalledMs: number;
}

/** What was written to in this turn of the event loop. */
const written: SocketWriter[] = [];

function releaseAll(): void {
  for (const outbox of written.splice(0)) outbox.release();
}

/** What goes out on one socket: whole frames, and those of one turn of the event loop in one system call. */
export class SocketWriter {
  private answerBytes = 0;
  /** Where the client stood with what waits when it was last seen to move. */
  private stand: { progress: Progress; since: number } | undefined;

  /** @param reader is given up when it takes nothing of what waits */
  constructor(
    private readonly webSocket: WebSocket,
    private readonly socket: Duplex,
    private readonly limits: SocketWriterLimits,
    private readonly reader: { giveUp(): void },
  ) {}

  /** Bytes of pushes that wait for the client. Answers do not count: it asked for them. */
  get pushBytes(): number {
    return this.socket.writableLength - this.answerBytes;
  }

  /** Bytes of answers that wait for the client. */
  get unsentAnswerBytes(): number {
    return this.answerBytes;
  }

  /** Bytes of everything that waits for the client. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Gives the reader up when it has taken no byte of what waits since long ago. To be called every second or so. */
  tick(now: number): void {
    if (this.socket.writableLength === 0) {
      this.stand = undefined;
      return;
    }
    const progress = progressOf(this.socket);
    if (!this.stand || hasMoved(this.stand.progress, progress)) this.stand = { progress, since: now };
    else if (now - this.stand.since >= this.limits.stalledMs) this.reader.giveUp();
  }

  push(frame: Buffer, options: { ephemeral: boolean }): void {
    if (options.ephemeral && this.socket.writableLength > this.limits.ephemeralBytes) return;
    this.write(frame);
  }

  /** @param onSent called once the client has room for the next answer, or is gone */
  answer(frame: Buffer, onSent: () => void): void {
    if (!this.isOpen) return;
    this.answerBytes += frame.length;
    this.write(frame, () => {
      this.answerBytes -= frame.length;
      onSent();
    });
  }

  private get isOpen(): boolean {
    return this.webSocket.readyState === this.webSocket.OPEN;
  }

  /** Beside `ws`, which keeps no queue of its own that could be overtaken here as long as nothing is compressed. */
  private write(frame: Buffer, onSent?: () => void): void {
    // Nothing may follow a close frame.
    if (!this.isOpen) return;
    if (this.socket.writableCorked === 0) {
      if (written.length === 0) process.nextTick(releaseAll);
      written.push(this);
      this.socket.cork();
    }
    this.socket.write(frame, onSent);
  }

  /** Hands what was written over to the system. */
  release(): void {
    this.socket.uncork();
  }
}

/** How far the client has got: both stand still while it takes nothing, whatever else is read or comes to wait. */
interface Progress {
  /** Bytes of the writes that got through as a whole. */
  done: number;
  /** Bytes of the write under way that the system has not taken yet; one write may be all that waits. */
  left: number | undefined;
}

const hasMoved = (before: Progress, now: Progress): boolean => before.done !== now.done || before.left !== now.left;

/**
 * Node's own timeout of a socket knows the same, but is put off by whatever is read as well: by each pong of a client
 * that takes nothing. `writeQueueSize` is what that timeout looks at; where it is missing, whole writes still count.
 */
function progressOf(socket: Duplex & Partial<WritesUnderWay>): Progress {
  const { bytesWritten = 0, writableLength, _handle } = socket;
  return { done: bytesWritten - writableLength, left: _handle?.writeQueueSize };
}

interface WritesUnderWay {
  /** Of `Socket`: what waits counts as well. */
  bytesWritten: number;
  _handle: { writeQueueSize?: number } | null;
}

/** A whole text frame, made once for all sockets that it goes to: in one piece and unmasked (RFC 6455, section 5.2). */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headLength + length);
  frame[0] = 0x81;
  if (headLength === 2) frame[1] = length;
  else if (headLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headLength);
  return frame;
}
