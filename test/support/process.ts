import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
}

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
      child.once("close", (code, signal) => resolve({ code, signal, output: this.output })),
    );
  }

  /** Starts a process with these settings and nothing else from the environment. It may end by itself. */
  static spawn(settings: Record<string, string>): ServerProcess {
    const child = spawn(process.execPath, [settings.MESSENGER_ENTRY ?? join(root, "dist/main.js")], {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", PORT: "0", BCRYPT_COST: "4", RATE_LIMITS: "off", ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new ServerProcess(child);
  }

  /** Starts a process and waits until it says that it is ready. */
  static async start(settings: Record<string, string>): Promise<ServerProcess> {
    const server = ServerProcess.spawn(settings);
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

  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}
