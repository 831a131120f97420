import type { ErrorFrame } from "../contract/frames.ts";
import type { Logger } from "../logger.ts";
import type { Connection } from "./connection.ts";

/** Lines per user within the window, in milliseconds. Further refused frames are counted. */
const maxLines = 10;
const windowMs = 10_000;

/** Request ids that may be logged. A client may put any text into them. */
const plainRequestId = /^[\w.:-]{1,64}$/;

/** The refused frames of one user within the window. */
interface Window {
  lines: number;
  suppressed: number;
}

/**
 * Logs each frame that is answered with an error: its type, code and request id, the id of the upgrade request that opened
 * the socket, and the user. Of a user with many of them, the first ones are logged, then how many followed.
 */
export class RefusalLog {
  private readonly windows = new Map<number, Window>();

  constructor(private readonly log: Logger) {}

  record({ id, userId }: Connection, { type, code, requestId }: ErrorFrame): void {
    const window = this.windows.get(userId) ?? this.openWindow(userId);
    if (window.lines >= maxLines) {
      window.suppressed++;
      return;
    }
    window.lines++;
    const isPlain = typeof requestId === "number" || (requestId !== undefined && plainRequestId.test(requestId));
    this.log.info({ type, code, ...(isPlain && { requestId }), connectionId: id, userId }, "frame refused");
  }

  private openWindow(userId: number): Window {
    const window = { lines: 0, suppressed: 0 };
    this.windows.set(userId, window);
    const close = () => {
      this.windows.delete(userId);
      const { suppressed } = window;
      if (suppressed > 0) this.log.info({ userId, suppressed }, "further frames refused");
    };
    setTimeout(close, windowMs).unref();
    return window;
  }
}
