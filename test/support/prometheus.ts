import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./cluster.ts";

const isInstalled = (program: string): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

export const canStartPrometheus = isInstalled("prometheus") && isInstalled("promtool");

/** Runs promtool. @throws Error with what is wrong */
export const promtool = (...words: string[]) => promisify(execFile)("promtool", words);

/** How often it scrapes and evaluates. */
const interval = "250ms";
const startTimeoutMs = 20_000;
const resultTimeoutMs = 15_000;

// biome-ignore lint/suspicious/noExplicitAny: an answer of Prometheus, of which tests check any field
type Answer = any;

interface Rule {
  name: string;
  health: string;
  state: string;
  lastError?: string;
}

async function until(description: string, isReached: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + resultTimeoutMs;
  while (!(await isReached())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${description}`);
    await wait(50);
  }
}

/** A Prometheus that scrapes one server. */
export class TestPrometheus {
  private constructor(
    private readonly child: ChildProcess,
    private readonly url: string,
    private readonly folder: string,
  ) {}

  /**
   * @param options.target host and port of the server
   * @param options.rules the path of a file
   */
  static async start({ target, rules }: { target: string; rules: string }): Promise<TestPrometheus> {
    const folder = await mkdtemp(join(tmpdir(), "messenger-prometheus-"));
    const config = {
      global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
      rule_files: [rules],
      scrape_configs: [{ job_name: "messenger", static_configs: [{ targets: [target] }] }],
    };
    // JSON is YAML, too.
    await writeFile(join(folder, "prometheus.yml"), JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    const prometheus = new TestPrometheus(child, `http://${address}`, folder);
    await new Promise<void>((resolve, reject) => {
      let output = "";
      const fail = () => reject(new Error(`Prometheus did not start: ${output.slice(-2000)}`));
      const timer = setTimeout(fail, startTimeoutMs);
      child.stderr?.on("data", (chunk) => {
        output += chunk;
        if (!output.includes("Server is ready to receive web requests")) return;
        clearTimeout(timer);
        resolve();
      });
      child.once("error", reject);
      child.once("exit", fail);
    });
    return prometheus;
  }

  /** Evaluates an expression now. @throws Error if it is invalid */
  async query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const { data } = await this.get(`query?query=${encodeURIComponent(expression)}`);
    return data.result;
  }

  /** Waits until an expression has a result. */
  async waitFor(expression: string): Promise<void> {
    await until(expression, async () => (await this.query(expression)).length > 0);
  }

  /** The loaded rules with their health and their last error, once all have been evaluated. */
  async evaluatedRules(): Promise<Rule[]> {
    let rules: Rule[] = [];
    await until("all rules evaluated", async () => {
      const { data } = await this.get("rules");
      rules = data.groups.flatMap((group: { rules: Rule[] }) => group.rules);
      return rules.length > 0 && rules.every(({ health }) => health !== "unknown");
    });
    return rules;
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await exited;
    await rm(this.folder, { recursive: true, force: true });
  }

  private async get(path: string): Promise<Answer> {
    const answer: Answer = await (await fetch(`${this.url}/api/v1/${path}`)).json();
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer;
  }
}
