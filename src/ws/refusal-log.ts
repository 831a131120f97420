import { LogQuota } from "../concurrency/log-quota.ts";
import type { ErrorFrame } from "../contract/frames.ts";
import type { Logger } from "../logger.ts";
import type { Connection } from "./connection.ts";

/** Lines per user within the window, in milliseconds. Further refused frames are counted. */
const maxLines = 10;
const windowMs = 10_000;

/** Request ids that may be logged. A client may put any text into them. */
const plainRequestId = /^[\w.:-]{1,64}$/;

/**
 * Logs each frame that is answered with an error: its type, code and request id, the id of the upgrade request that opened
 * the socket, and the user. Of a user with many of them, the first ones are logged, then how many followed.
 */
export class RefusalLog {
  private readonly quota: LogQuota<number>;

  constructor(private readonly log: Logger) {
    const onSuppressed = (userId: number, suppressed: number) =>
      log.info({ userId, suppressed }, "further frames refused");
    this.quota = new LogQuota({ maxLines, windowMs, onSuppressed });
  }

  record({ id, userId }: Connection, { type, code, requestId }: ErrorFrame): void {
    if (!this.quota.take(userId)) return;
    const isPlain = typeof requestId === "number" || (requestId !== undefined && plainRequestId.test(requestId));
    this.log.info({ type, code, ...(isPlain && { requestId }), connectionId: id, userId }, "frame refused");
  }
}
