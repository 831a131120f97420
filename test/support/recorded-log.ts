import { EventEmitter } from "node:events";
import { pino } from "pino";
import type { Logger } from "../../src/logger.ts";

/** The messages that were logged, of all levels. */
export class LoggedLines {
  readonly messages: string[] = [];
  private readonly added = new EventEmitter();

  add(message: string): void {
    this.messages.push(message);
    this.added.emit("message");
  }

  /** Resolves once this message has been logged. */
  waitFor(message: string): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!this.messages.includes(message)) return;
        this.added.off("message", check);
        resolve();
      };
      this.added.on("message", check);
      check();
    });
  }
}

/** A logger whose messages tests can read. */
export function recordLog(): { log: Logger; lines: LoggedLines } {
  const lines = new LoggedLines();
  const write = (line: string) => lines.add(JSON.parse(line).msg);
  return { log: pino({ level: "info" }, { write }), lines };
}
