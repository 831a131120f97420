import { EventEmitter } from "node:events";
import { createLogger, type Logger } from "../../src/logger.ts";
import { recordOutput } from "./leak-scan.ts";

/** How long a line may take, in milliseconds. */
const timeoutMs = 5000;

/** A parsed line of the log. */
export type LogLine = Record<string, unknown>;

/** The lines of a server's log, parsed. */
export class LogLines {
  readonly lines: LogLine[] = [];
  readonly log: Logger;
  private text = "";
  private readonly added = new EventEmitter();

  constructor({ level = "info" }: { level?: string } = {}) {
    const write = (line: string) => {
      recordOutput(line);
      this.text += line;
      this.lines.push(JSON.parse(line));
      this.added.emit("line");
    };
    this.log = createLogger({ level, readable: false, destination: { write } });
  }

  /** Everything that was logged. */
  get output(): string {
    return this.text;
  }

  clear(): void {
    this.lines.length = 0;
    this.text = "";
  }

  /** The first line with these fields, which may be written later. */
  async waitFor(fields: LogLine): Promise<LogLine> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = this.find(fields);
      if (found) return found;
      await new Promise<void>((resolve, reject) => {
        const fail = () => reject(new Error(`not logged: ${JSON.stringify(fields)}; but:\n${this.text}`));
        if (signal.aborted) return fail();
        signal.addEventListener("abort", fail, { once: true });
        this.added.once("line", resolve);
      });
    }
  }

  find(fields: LogLine): LogLine | undefined {
    return this.lines.find((line) => Object.entries(fields).every(([name, value]) => line[name] === value));
  }
}
