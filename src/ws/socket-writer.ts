import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Metrics } from "../metrics/metrics.ts";

/** How much unsent data a socket may have before its client counts as too slow. */
export interface SocketWriterLimits {
  /** Unsent bytes above which typing and presence are no longer sent. */
  ephemeralBytes: number;
  /** Unsent bytes of pushes above which the socket is closed, unless they get through within a short time. */
  pushBytes: number;
  /** How long the client may receive no byte of the unsent data, in milliseconds. */
  stalledMs: number;
}

/** What a push is about that may be dropped for slow readers. */
export type EphemeralKind = "typing" | "presence";

/** The writers that were used in this turn of the event loop. */
const corked: SocketWriter[] = [];

function uncorkAll(): void {
  for (const writer of corked.splice(0)) writer.uncork();
}

/** Writes frames to one socket. All frames of one turn of the event loop go out in one system call. */
export class SocketWriter {
  private replyBytes = 0;
  /** The last progress that was seen while data was waiting. */
  private lastProgress: { progress: Progress; since: number } | undefined;

  /**
   * @param client is notified when it has received nothing for too long
   * @param metrics counts the pushes
   */
  constructor(
    private readonly webSocket: WebSocket,
    private readonly socket: Duplex,
    private readonly limits: SocketWriterLimits,
    private readonly client: { closeAsTooSlow(): void },
    private readonly metrics?: Pick<Metrics, "pushes" | "droppedPushes"> | undefined,
  ) {}

  /** Unsent bytes of pushes. Replies do not count: the client requested them. */
  get pushBytes(): number {
    return this.socket.writableLength - this.replyBytes;
  }

  /** Unsent bytes of replies. */
  get unsentReplyBytes(): number {
    return this.replyBytes;
  }

  /** Unsent bytes of pushes and replies. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Closes the socket if its client has received no byte for too long. To be called about once a second. */
  tick(now: number): void {
    if (this.socket.writableLength === 0) {
      this.lastProgress = undefined;
      return;
    }
    const progress = progressOf(this.socket);
    if (!this.lastProgress || hasProgressed(this.lastProgress.progress, progress)) {
      this.lastProgress = { progress, since: now };
    } else if (now - this.lastProgress.since >= this.limits.stalledMs) this.client.closeAsTooSlow();
  }

  /** Writes a push. An ephemeral one is dropped if too much is unsent. */
  push({ frame, ephemeral }: { frame: Buffer; ephemeral?: EphemeralKind }): void {
    if (!this.isOpen) return;
    if (ephemeral && this.socket.writableLength > this.limits.ephemeralBytes) {
      this.metrics?.droppedPushes.add(ephemeral);
      return;
    }
    this.metrics?.pushes.add();
    this.write(frame);
  }

  /** @param onSent called when the frame has been handed to the system, or the socket is gone */
  reply(frame: Buffer, onSent: () => void): void {
    if (!this.isOpen) return;
    this.replyBytes += frame.length;
    this.write(frame, () => {
      this.replyBytes -= frame.length;
      onSent();
    });
  }

  private get isOpen(): boolean {
    return this.webSocket.readyState === this.webSocket.OPEN;
  }

  /**
   * Bypasses `ws`, which has no queue of its own that could be overtaken as long as nothing is compressed. The socket must
   * be open: nothing may follow a close frame.
   */
  private write(frame: Buffer, onSent?: () => void): void {
    if (this.socket.writableCorked === 0) {
      if (corked.length === 0) process.nextTick(uncorkAll);
      corked.push(this);
      this.socket.cork();
    }
    this.socket.write(frame, onSent);
  }

  /** Hands the written frames to the system. */
  uncork(): void {
    this.socket.uncork();
  }
}

/** How much the client has received. Neither number changes while it receives nothing, whatever else happens. */
interface Progress {
  /** Bytes of completed writes. */
  done: number;
  /** Bytes of the current write that the system has not accepted yet. A single write may be all that is unsent. */
  remaining: number | undefined;
}

const hasProgressed = (before: Progress, now: Progress): boolean =>
  before.done !== now.done || before.remaining !== now.remaining;

/**
 * Node's own socket timeout measures the same, but is reset by every read as well, so also by the pongs of a client that
 * receives nothing. That timeout uses `writeQueueSize`; where it is missing, completed writes still count.
 */
function progressOf(socket: Duplex & Partial<WriteCounters>): Progress {
  const { bytesWritten = 0, writableLength, _handle } = socket;
  return { done: bytesWritten - writableLength, remaining: _handle?.writeQueueSize };
}

interface WriteCounters {
  /** Of `net.Socket`; includes unsent bytes. */
  bytesWritten: number;
  _handle: { writeQueueSize?: number } | null;
}

/** Makes a whole text frame, unfragmented and unmasked (RFC 6455, section 5.2). It is made once for all recipients. */
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
