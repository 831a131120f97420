import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where the programs of a PostgreSQL server are: where Debian puts them, or on the PATH. */
function findPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, "bin"));
  const path = (process.env.PATH ?? "").split(delimiter);
  return [...newestFirst, ...path].find((folder) => existsSync(join(folder, "initdb")));
}

const programs = findPrograms();

/** Whether this machine has what a server of the test's own needs. */
export const canMakeClusters = programs !== undefined;

const program = (name: string): string => join(programs ?? "", name);

/** PostgreSQL refuses to run as root: then it runs as whoever it was installed for. */
async function owner(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]).catch(() => undefined);
    if (ids) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  return undefined;
}

/** A port of this machine that nobody uses at the moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

/** A PostgreSQL server of the test's own, to start, stop and break; never one that somebody else uses. */
export class Cluster {
  private paused: number[] = [];

  private constructor(
    private readonly folder: string,
    private readonly user: { uid: number; gid: number } | undefined,
    readonly port: number,
  ) {}

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** Makes a cluster without starting it. */
  static async make(): Promise<Cluster> {
    const user = await owner();
    const folder = await mkdtemp(join(tmpdir(), "messenger-cluster-"));
    if (user) await chown(folder, user.uid, user.gid);
    const cluster = new Cluster(folder, user, await freePort());
    await cluster.run("initdb", ["-D", cluster.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]);
    return cluster;
  }

  async start(): Promise<void> {
    const options = `-p ${this.port} -k ${this.folder} -c listen_addresses=127.0.0.1`;
    // pg_ctl hands its own output on to the server, so nothing may wait for the end of it.
    const child = spawn(
      program("pg_ctl"),
      ["-D", this.data, "-w", "-l", join(this.folder, "log"), "-o", options, "start"],
      {
        cwd: this.folder,
        stdio: "ignore",
        ...this.user,
      },
    );
    const code = await new Promise((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`the test's PostgreSQL did not start: ${code}`);
  }

  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.run("pg_ctl", ["-D", this.data, "-w", "-m", mode, "stop"]);
  }

  /** Freezes every process of the server: nothing is answered, and nothing refused. */
  async pause(): Promise<void> {
    this.paused = await this.processIds();
    for (const pid of this.paused) process.kill(pid, "SIGSTOP");
  }

  /** Lets it go on where it was frozen. */
  resume(): void {
    for (const pid of this.paused.splice(0)) process.kill(pid, "SIGCONT");
  }

  async remove(): Promise<void> {
    this.resume();
    await this.stop("immediate").catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The main process first, so that it starts no other when these are frozen. */
  private async processIds(): Promise<number[]> {
    const [main = ""] = (await readFile(join(this.data, "postmaster.pid"), "utf8")).split("\n");
    const { stdout } = await run("pgrep", ["-P", main]);
    return [main, ...stdout.trim().split("\n")].map(Number);
  }

  private get data(): string {
    return join(this.folder, "data");
  }

  private run(name: string, parameters: string[]) {
    return run(program(name), parameters, { cwd: this.folder, ...this.user });
  }
}
