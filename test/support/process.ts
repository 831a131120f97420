import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { witness } from "./leak-scan.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: { start: string } };

/** What `npm start` tells Node: all between its name and the script. */
export const startFlags: readonly string[] = scripts.start.split(" ").slice(1, -1);

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

/** What a process holds after a forced collection, in bytes; and its handles and timers, by the names Node gives them. */
export interface Probed {
  rss: number;
  heapUsed: number;
  resources: Record<string, number>;
}

/** Arguments for Node that let a process be probed. */
export const withProbe: readonly string[] = [
  "--expose-gc",
  "--import",
  pathToFileURL(join(root, "test/support/probe.mjs")).href,
];

/** The real thing: a server process of its own, built before as `npm start` does. */
export class ServerProcess {
  output = "";
  readonly ended: Promise<Ended>;

  private constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        this.output += chunk;
      });
    }
    this.ended = new Promise((resolve) =>
      child.once("close", (code, signal) => {
        witness(this.output);
        resolve({ code, signal, output: this.output });
      }),
    );
  }

  /**
   * Starts a process with these settings and nothing else from the environment. It may end by itself.
   * @param nodeArguments for Node itself, such as `--import` and a script that runs before the server
   */
  static spawn(settings: Record<string, string>, nodeArguments: readonly string[] = []): ServerProcess {
    const entry = settings.MESSENGER_ENTRY ?? join(root, "dist/main.js");
    const child = spawn(process.execPath, [...startFlags, ...nodeArguments, entry], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", PORT: "0", BCRYPT_COST: "4", RATE_LIMITS: "off", ...settings },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    return new ServerProcess(child);
  }

  /** Starts a process and waits until it says that it is ready. */
  static async start(settings: Record<string, string>, nodeArguments?: readonly string[]): Promise<ServerProcess> {
    const server = ServerProcess.spawn(settings, nodeArguments);
    await server.says(/WebSocket: .*:\d+/);
    return server;
  }

  /** Waits until the output has this in it; fails when the process ends before. */
  says(wanted: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => wanted.test(this.output) && resolve();
      this.child.stdout?.on("data", look);
      this.child.stderr?.on("data", look);
      void this.ended.then(() => reject(new Error(`ended before saying ${wanted}: ${this.output}`)));
      look();
    });
  }

  /** The port of a server that has said that it is ready. */
  get port(): number {
    return Number(/WebSocket: ws:\/\/[^:]+:(\d+)/.exec(this.output)?.[1]);
  }

  /** What it holds now; of a process started `withProbe`. */
  probe(): Promise<Probed> {
    return new Promise((resolve, reject) => {
      this.child.once("message", (probed) => resolve(probed as Probed));
      void this.ended.then(() => reject(new Error(`ended before it was asked what it holds: ${this.output}`)));
      this.child.send("probe");
    });
  }

  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}
