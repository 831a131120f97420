import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";

/** A program that a test runs and types into. */
export class Program {
  output = "";
  readonly ended: Promise<unknown>;
  private readonly child: ChildProcessWithoutNullStreams;

  constructor(cwd: string, parameters: readonly string[], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, parameters, {
      cwd,
      env: { PATH: process.env.PATH ?? "", ...environment },
    });
    this.ended = once(this.child, "close");
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on("data", (chunk) => {
        this.output += chunk;
      });
    }
  }

  type(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /** Waits until a text that was not there before is written. */
  async waitFor(text: string): Promise<void> {
    const ended = this.ended.then(() => "it has ended");
    const late = setTimeout(15_000, "nothing happens", { ref: false });
    while (!this.output.includes(text)) {
      const problem = await Promise.race([once(this.child.stdout, "data").then(() => ""), ended, late]);
      if (problem && !this.output.includes(text)) throw new Error(`${problem} without "${text}": ${this.output}`);
    }
    this.output = this.output.slice(this.output.indexOf(text) + text.length);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }

  get exitCode(): number | null {
    return this.child.exitCode;
  }
}
