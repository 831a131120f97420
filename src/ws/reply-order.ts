import type { AnswerFrame, ErrorFrame } from "../contract/frames.ts";
import type { Requester } from "../domain/actor.ts";
import type { BufferedPush, SyncSnapshot } from "./message-type.ts";
import { type EphemeralKind, textFrame } from "./socket-writer.ts";

/** How long after a `sync` answer delivery may still bring changes that the answer contains, in milliseconds. */
const snapshotLifetimeMs = 60_000;

/** A frame of the client, read and ready to be executed. */
export interface Request {
  /** Whether other pipelined requests may start before this one is answered. Sends may. */
  pipelined: boolean;
  /** Executes the request. Never rejects. */
  answer(requester: Requester): Promise<AnswerFrame | ErrorFrame>;
  /** Called with the size of the answer, in bytes. */
  answered?(bytes: number): void;
  /** The error for a request that is not waited for any longer. Its outcome is unknown. */
  abort(): ErrorFrame;
}

/** A push to a socket. */
export interface OutgoingPush extends BufferedPush {
  /** The whole WebSocket frame, shared by all recipients. */
  frame: Buffer;
  /** It may be dropped if the client reads slowly. */
  ephemeral?: EphemeralKind;
  /** The request that caused it. */
  requester?: Requester | undefined;
}

/** A request that has started and whose reply has not been sent. It is the requester of the changes it causes. */
export interface PendingReply {
  request: Request;
  /** The reply, once there is one. */
  frame?: Buffer;
  /** Whether it has a place in the queue. */
  isQueued: boolean;
  /** The chat of the change it made. */
  chatId?: number | undefined;
  /** The push of the change it made. The reply is sent in its place. */
  ownPush?: OutgoingPush;
  /** Whether the reply is an error. With `ownPush`: the commit was in doubt, but delivery found the change. */
  isError?: boolean;
  /** What a `sync` reply contains. */
  snapshot?: SyncSnapshot;
}

/** Sends frames in the order in which they are passed to it. */
export interface FrameSink {
  sendReply(frame: Buffer): void;
  sendPush(push: OutgoingPush): void;
}

/**
 * Orders the replies and pushes of one socket. Replies are sent in the order of the requests. A push is sent at once
 * unless it belongs after a pending reply: when delivery brings the change that a request made, the reply is queued in
 * place of the push, and the pushes that follow are queued behind it.
 */
export class ReplyOrder {
  /** In the order of the requests. */
  private readonly pending: PendingReply[] = [];
  /** In the order of delivery. Not empty only while a pending reply is queued. */
  private queue: (PendingReply | OutgoingPush)[] = [];
  private queuedBytes = 0;
  /** The versions in the last `sync` replies. Delivery may bring those changes only now. */
  private synced: { versions: ReadonlyMap<number, number>; until: number } | undefined;

  constructor(private readonly sink: FrameSink) {}

  /** The number of requests that have started and whose replies have not been sent. */
  get pendingCount(): number {
    return this.pending.length;
  }

  /** Bytes of the queued pushes. */
  get queuedPushBytes(): number {
    return this.queuedBytes;
  }

  /** Whether a request may start now: any if none is pending, a pipelined one beside other pipelined ones. */
  mayStart({ pipelined }: Request): boolean {
    return this.pending.length === 0 || (pipelined && this.pending.every(({ request }) => request.pipelined));
  }

  /** Registers a request that starts now. Its reply is sent after those of the requests before it. */
  start(request: Request): PendingReply {
    const reply: PendingReply = { request, isQueued: false };
    this.pending.push(reply);
    return reply;
  }

  /** Sets the reply, and sends all frames whose turn it is. Returns the size of the reply in bytes. */
  answer(reply: PendingReply, answer: AnswerFrame | ErrorFrame): number {
    const { length } = setFrame(reply, answer);
    this.flush();
    return length;
  }

  /** Replies to all pending requests that they were aborted. */
  abort(): void {
    for (const reply of this.pending) if (!reply.frame) setFrame(reply, reply.request.abort());
    this.flush();
  }

  /** Sends a push, or queues it behind a reply. The push of a pending request's own change is replaced by the reply. */
  push(push: OutgoingPush): void {
    const own = this.pendingReplyOf(push.requester);
    if (own) {
      own.ownPush = push;
      this.enqueueReply(own, push.chatId);
    } else if (this.queue.length > 0) {
      this.queue.push(push);
      this.queuedBytes += push.frame.length;
    } else this.sendPush(push);
  }

  /** Queues pushes until this request is answered. Of those, the ones newer than the snapshot are then sent. */
  bufferPushes(requester: Requester): (snapshot: SyncSnapshot) => void {
    const reply = this.pendingReplyOf(requester);
    if (reply) this.enqueueReply(reply);
    return (snapshot) => {
      if (reply) reply.snapshot = snapshot;
    };
  }

  /**
   * Forgets snapshots that are too old to matter.
   * @param now in milliseconds of the monotonic clock
   */
  tick(now: number): void {
    if (this.synced && this.synced.until <= now) this.synced = undefined;
  }

  private pendingReplyOf(requester: Requester | undefined): PendingReply | undefined {
    if (!requester || this.pending.length === 0) return undefined;
    return this.pending.find((reply) => reply === requester);
  }

  private enqueueReply(reply: PendingReply, chatId?: number): void {
    if (reply.isQueued) return;
    reply.isQueued = true;
    reply.chatId = chatId;
    this.queue.push(reply);
  }

  /** Sends what is ready: pushes at the head of the queue, and replies in the order of the requests. */
  private flush(): void {
    for (;;) {
      const [oldest] = this.pending;
      const [head] = this.queue;
      if (head && !isReply(head)) {
        this.queue.shift();
        this.sendQueuedPush(head);
      } else if (oldest?.frame) this.sendOldestReply(oldest, oldest.frame);
      else return;
    }
  }

  private sendOldestReply(reply: PendingReply, frame: Buffer): void {
    this.pending.shift();
    if (reply.isQueued) this.dequeueReply(reply);
    if (reply.isError && reply.ownPush) this.sink.sendPush(reply.ownPush);
    if (reply.snapshot) this.applySnapshot(reply.snapshot);
    this.sink.sendReply(frame);
  }

  /**
   * Removes a reply from the queue. It is usually at the head. If delivery reached it after the reply to a later request
   * for another chat, it overtakes that one, but not the pushes of its own chat.
   */
  private dequeueReply(reply: PendingReply): void {
    const before = this.queue.slice(0, this.queue.indexOf(reply));
    const remaining = before.filter((entry) => isReply(entry) || entry.chatId !== reply.chatId);
    for (const entry of before) if (!isReply(entry) && entry.chatId === reply.chatId) this.sendQueuedPush(entry);
    this.queue.splice(0, before.length + 1, ...remaining);
  }

  private sendQueuedPush(push: OutgoingPush): void {
    this.queuedBytes -= push.frame.length;
    this.sendPush(push);
  }

  private sendPush(push: OutgoingPush): void {
    if (!this.isSynced(push)) this.sink.sendPush(push);
  }

  /** Drops the queued pushes that the reply contains, and keeps its versions to drop later pushes of them. */
  private applySnapshot(snapshot: SyncSnapshot): void {
    this.queue = this.queue.filter((entry) => isReply(entry) || snapshot.isNewerThanSnapshot(entry));
    this.queuedBytes = this.queue.reduce((sum, entry) => sum + (isReply(entry) ? 0 : entry.frame.length), 0);
    const earlier = this.synced?.versions ?? [];
    this.synced = {
      versions: new Map([...earlier, ...snapshot.versions]),
      until: performance.now() + snapshotLifetimeMs,
    };
  }

  private isSynced({ chatId, version }: BufferedPush): boolean {
    if (!this.synced || chatId === undefined || version === undefined) return false;
    return version <= (this.synced.versions.get(chatId) ?? 0);
  }
}

function setFrame(reply: PendingReply, answer: AnswerFrame | ErrorFrame): Buffer {
  reply.isError = "error" in answer;
  reply.frame = textFrame(JSON.stringify(answer));
  return reply.frame;
}

const isReply = (entry: PendingReply | OutgoingPush): entry is PendingReply => "isQueued" in entry;
