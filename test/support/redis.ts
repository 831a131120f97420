import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { freePort } from "./cluster.ts";

/** Whether redis-server is installed. */
export const canStartRedis = (process.env.PATH ?? "")
  .split(delimiter)
  .some((folder) => existsSync(join(folder, "redis-server")));

/** A private Redis without persistence that can be killed and restarted on the same port. */
export class TestRedis {
  private child: ChildProcess | undefined;

  private constructor(private readonly port: number) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** @param options.parameters further parameters of redis-server */
  static async start(options: { parameters?: string[] } = {}): Promise<TestRedis> {
    const redis = new TestRedis(await freePort());
    await redis.start(options.parameters);
    return redis;
  }

  start(parameters: string[] = []): Promise<void> {
    const port = String(this.port);
    const child = spawn(
      "redis-server",
      ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...parameters],
      { stdio: ["ignore", "pipe", "ignore"] },
    );
    this.child = child;
    return new Promise((resolve, reject) => {
      let output = "";
      child.stdout?.on("data", (chunk) => {
        output += chunk;
        if (output.includes("Ready to accept connections")) resolve();
      });
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`the test's Redis did not start: ${output}`)));
    });
  }

  /** Suspends the process: connections stay open and get no response until `resume`. */
  pause(): void {
    this.child?.kill("SIGSTOP");
  }

  resume(): void {
    this.child?.kill("SIGCONT");
  }

  /** Kills the process and waits for its exit. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
}
