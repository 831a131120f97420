import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { recordOutput } from "./leak-scan.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { start: string } };

/** The Node options of `npm start`. */
export const startFlags: readonly string[] = scripts.start.split(" ").slice(1, -1);

const isTestRun = process.env.JEST_WORKER_ID !== undefined;

/** Node options for embedded databases of tests: optimizing them takes more time than it saves in the seconds they live. */
export const databaseFlags: readonly string[] = isTestRun ? ["--liftoff-only"] : [];

/** Node options for processes that tests start, which live for seconds as well. Not for the chaos test and the benchmarks. */
export const testFlags: readonly string[] = isTestRun ? [...databaseFlags, "--no-opt"] : [];

export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

/** Memory after a forced garbage collection, in bytes, and the number of active resources by Node's type names. */
export interface ResourceUsage {
  rss: number;
  heapUsed: number;
  resources: Record<string, number>;
}

/** Node options for a process whose resource usage is measured. */
export const withResourceProbe: readonly string[] = [
  "--expose-gc",
  "--import",
  pathToFileURL(join(root, "test/support/resource-probe.mjs")).href,
];

/** A server in its own process, started from the build as `npm start` does. */
export class ServerProcess {
  output = "";
  readonly exited: Promise<ProcessExit>;

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        this.output += chunk;
      });
    }
    this.exited = new Promise((resolve) =>
      child.once("close", (code, signal) => {
        recordOutput(this.output);
        resolve({ code, signal, output: this.output });
      }),
    );
  }

  /**
   * Starts a process with only these settings in its environment, without waiting until it is ready.
   * @param nodeArguments Node options, such as `--import` with a script that runs before the server
   */
  static spawn(settings: Record<string, string>, nodeArguments: readonly string[] = []): ServerProcess {
    const entry = settings.MESSENGER_ENTRY ?? join(root, "dist/main.js");
    const child = spawn(process.execPath, [...startFlags, ...testFlags, ...nodeArguments, entry], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", PORT: "0", BCRYPT_COST: "4", RATE_LIMITS: "off", ...settings },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    return new ServerProcess(child);
  }

  /** Starts a process and waits until it is ready. */
  static async start(settings: Record<string, string>, nodeArguments?: readonly string[]): Promise<ServerProcess> {
    const server = ServerProcess.spawn(settings, nodeArguments);
    await server.waitForOutput(/WebSocket: .*:\d+/);
    return server;
  }

  /** Waits until the output matches. @throws Error when the process exits first */
  waitForOutput(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => pattern.test(this.output) && resolve();
      this.child.stdout?.on("data", check);
      this.child.stderr?.on("data", check);
      void this.exited.then(() => reject(new Error(`exited before printing ${pattern}: ${this.output}`)));
      check();
    });
  }

  /** The port of a server that is ready. */
  get port(): number {
    return Number(/WebSocket: ws:\/\/[^:]+:(\d+)/.exec(this.output)?.[1]);
  }

  /** Measures a process that was started with `withResourceProbe`. */
  resourceUsage(): Promise<ResourceUsage> {
    return new Promise((resolve, reject) => {
      this.child.once("message", (usage) => resolve(usage as ResourceUsage));
      void this.exited.then(() => reject(new Error(`exited before its resource usage was measured: ${this.output}`)));
      this.child.send("measure");
    });
  }

  /** Sends a signal and waits for the exit. */
  stop(signal: NodeJS.Signals): Promise<ProcessExit> {
    this.child.kill(signal);
    return this.exited;
  }
}
