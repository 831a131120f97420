import { setTimeout as wait } from "node:timers/promises";
import type { SentMessage } from "../domain/message.ts";
import { dialogKey } from "./dialogs.ts";
import type { BatchWriter, QueuedSend, SendRequest } from "./send-batch.ts";
import { type Batch, SendQueue } from "./send-queue.ts";

const maxBatchSize = 500;
/** How long a batch may wait for more sends, in milliseconds. */
const maxGatherMs = 5;
/** Pause before the next attempt when all chats of a batch are held by other transactions, in milliseconds. */
const heldPauseMs = 5;

/**
 * Sends messages. Sends that arrive while a transaction is running go into the next one, without a timer: an idle server
 * answers at once, and a busy one shares each commit among many sends.
 */
export class MessageSender {
  private readonly queue: SendQueue<QueuedSend>;
  private isStarting = false;

  /** @param options.concurrency the largest number of transactions at a time */
  constructor(private readonly options: { batches: BatchWriter; concurrency: number }) {
    this.queue = new SendQueue({ concurrency: options.concurrency, maxBatchSize });
  }

  /** Settles once the message is stored and has been delivered. */
  send(request: SendRequest): Promise<SentMessage> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: SentMessage | Error) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
      this.queue.add({ ...request, chatKey: chatKeyOf(request), queuedAt: performance.now(), settle });
      this.startSoon();
    });
  }

  private startSoon(): void {
    if (this.isStarting) return;
    this.isStarting = true;
    this.startBefore(performance.now() + maxGatherMs);
  }

  /**
   * Starts batches after this turn of the event loop, or later as long as each turn brings more sends. Turns take tenths of a
   * millisecond, but many milliseconds while files are uploaded.
   */
  private startBefore(deadline: number): void {
    const before = this.queue.length;
    setImmediate(() => {
      if (this.queue.length > before && performance.now() < deadline) return this.startBefore(deadline);
      this.isStarting = false;
      for (let batch = this.queue.takeBatch(); batch; batch = this.queue.takeBatch()) void this.run(batch);
    });
  }

  private async run(batch: Batch<QueuedSend>): Promise<void> {
    const unsent = await this.options.batches.write(batch.sends);
    if (unsent.length === batch.sends.length) await wait(heldPauseMs);
    this.queue.finish(batch, unsent);
    if (this.queue.length > 0) this.startSoon();
  }
}

const chatKeyOf = ({ to, senderId }: SendRequest): string =>
  "groupId" in to ? `${to.groupId}` : dialogKey({ userId: senderId, otherId: to.receiverId });
