/** What the order of a send depends on. */
export interface OrderedSend {
  senderId: number;
  /** Identifies the chat, before its id is known. */
  chatKey: string;
  /** Sends of one sender with the same client id are repeats of each other. */
  clientMessageId?: string | undefined;
}

/** Sends that are stored together. */
export interface Batch<Send extends OrderedSend> {
  readonly sends: readonly Send[];
}

/**
 * Decides which queued sends may be stored now, beside the batches in flight. Scheduling only: it stores nothing and
 * waits for nothing. The order of arrival is kept among the sends of one sender and among those to one chat, and of
 * repeats only one is in flight: the next one is answered with what the first has stored.
 */
export class SendQueue<Send extends OrderedSend> {
  private waiting: Send[] = [];
  private readonly inFlight = new Set<Batch<Send>>();

  /**
   * @param options.concurrency the largest number of batches in flight
   * @param options.maxBatchSize the largest number of sends in a batch: more than one transaction should hold locks for
   */
  constructor(private readonly options: { concurrency: number; maxBatchSize: number }) {}

  /** The number of sends that are in no batch. */
  get length(): number {
    return this.waiting.length;
  }

  add(send: Send): void {
    this.waiting.push(send);
  }

  /**
   * Removes and returns the next batch; call `finish` when it is done. Beside batches in flight, a batch starts only when
   * it is at least as large as the largest of them, so that sends share commits.
   * @returns undefined if no batch may start now
   */
  takeBatch(): Batch<Send> | undefined {
    if (this.inFlight.size >= this.options.concurrency) return undefined;
    const minSize = Math.max(1, ...[...this.inFlight].map(({ sends }) => sends.length));
    if (this.waiting.length < minSize) return undefined;
    const { sends, left } = this.split();
    if (sends.length < minSize) return undefined;
    this.waiting = left;
    const batch = { sends };
    this.inFlight.add(batch);
    return batch;
  }

  /** Ends a batch. The sends of it that could not be stored yet, in their order, return to the head of the queue. */
  finish(batch: Batch<Send>, unsent: readonly Send[]): void {
    this.inFlight.delete(batch);
    if (unsent.length > 0) this.waiting = [...unsent, ...this.waiting];
  }

  /** Divides the waiting sends, in their order, into the next batch and those left. */
  private split(): { sends: Send[]; left: Send[] } {
    const senderIds = new Set<number>();
    const chatKeys = new Set<string>();
    for (const batch of this.inFlight) {
      for (const { senderId, chatKey } of batch.sends) {
        senderIds.add(senderId);
        chatKeys.add(chatKey);
      }
    }
    const clientKeys = new Set<string>();
    const sends: Send[] = [];
    const left: Send[] = [];
    for (const send of this.waiting) {
      const { senderId, chatKey, clientMessageId } = send;
      const clientKey = clientMessageId === undefined ? undefined : `${senderId} ${clientMessageId}`;
      const isRepeat = clientKey !== undefined && clientKeys.has(clientKey);
      if (sends.length === this.options.maxBatchSize) left.push(send);
      else if (isRepeat || senderIds.has(senderId) || chatKeys.has(chatKey)) {
        // Later sends of this sender and to this chat must not overtake it.
        senderIds.add(senderId);
        chatKeys.add(chatKey);
        left.push(send);
      } else {
        sends.push(send);
        if (clientKey !== undefined) clientKeys.add(clientKey);
      }
    }
    return { sends, left };
  }
}
