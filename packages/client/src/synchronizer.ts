import { wait } from "./backoff.ts";
import { toMessengerError } from "./errors.ts";
import type { SyncResult } from "./protocol.ts";
import type { Replica } from "./replica.ts";
import type { Transport } from "./transport.ts";

const retryMs = 1000;
/** Messages that are requested of a chat that this device does not know: enough for a list of chats. */
const newest = 1;

/** Brings the replica up to date, one request at a time. */
export class Synchronizer {
  private running: Promise<void> = Promise.resolve();
  private readonly gaps = new Set<number>();

  constructor(private readonly replica: Replica) {}

  /** Syncs all chats. @throws MessengerError if that fails or the connection is lost */
  syncAll(transport: Transport): Promise<void> {
    this.gaps.clear();
    const synced = this.running.then(() => this.sync(transport));
    this.running = synced.catch(() => {});
    return synced;
  }

  /** Syncs one chat. If that fails, the connection is given up, and the next one syncs all. */
  closeGap(chatId: number, transport: Transport): void {
    const isWaiting = this.gaps.size > 0;
    this.gaps.add(chatId);
    if (isWaiting) return;
    const closed = this.running.then(async () => {
      for (const gap of this.gaps) {
        this.gaps.delete(gap);
        await this.sync(transport, gap, gap);
      }
    });
    this.running = closed.catch((error) => {
      this.gaps.clear();
      transport.drop(`sync failed: ${toMessengerError(error).code}`);
    });
  }

  private async sync(transport: Transport, from = 1, until?: number): Promise<void> {
    let next = from;
    let to = until;
    for (;;) {
      const { last, ...params } = this.replica.syncRequest(next, to);
      const { epoch } = this.replica;
      const result = await untilAnswered(
        () =>
          transport
            .request("sync", { ...params, newest, ...(epoch !== undefined && { epoch }) }, (item) =>
              this.replica.applySync(item),
            )
            .then(({ item }) => item),
        () => transport.closed,
      );
      const end = lastChatOf(result);
      if (epoch !== undefined && epoch !== result.epoch) {
        // What was received before belongs to another epoch and has been forgotten.
        next = 1;
        to = undefined;
      } else if (result.hasMore) next = end ?? next;
      else if (last < (to ?? Number.MAX_SAFE_INTEGER)) next = last + 1;
      else return;
    }
  }
}

const lastChatOf = ({ chats }: SyncResult): number | undefined => chats.at(-1)?.chatId;

/**
 * Repeats a request as long as the server says that it can succeed later.
 * @param interrupted ends the wait before the next attempt; asked for at each, since the connection may be another one
 * @throws MessengerError of any other kind
 */
export async function untilAnswered<T>(
  request: () => Promise<T>,
  interrupted: () => Promise<unknown> | undefined,
): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      const { code, retryAfterMs = retryMs } = toMessengerError(error);
      if (code !== "UNAVAILABLE" && code !== "RATE_LIMITED") throw error;
      await wait(retryAfterMs, interrupted());
    }
  }
}
