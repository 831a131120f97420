import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { onDatabase } from "./on-database.ts";

const run = promisify(execFile);

/** The folder of the PostgreSQL server binaries: Debian's, or one on the PATH. */
function findBinFolder(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, "bin"));
  const path = (process.env.PATH ?? "").split(delimiter);
  return [...newestFirst, ...path].find((folder) => existsSync(join(folder, "initdb")));
}

const binFolder = findBinFolder();

/** Whether the PostgreSQL server binaries are installed. */
export const canCreateClusters = binFolder !== undefined;

const binPath = (name: string): string => join(binFolder ?? "", name);

/** The system user to run PostgreSQL as; PostgreSQL refuses to run as root. */
async function clusterOwner(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    const ids = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]).catch(() => undefined);
    if (ids) return { uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) };
  }
  return undefined;
}

/** A free TCP port. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });

/** A private PostgreSQL server that tests can start, stop and pause. */
export class Cluster {
  private paused: number[] = [];

  private constructor(
    private readonly folder: string,
    private readonly user: { uid: number; gid: number } | undefined,
    private currentPort: number,
  ) {}

  get port(): number {
    return this.currentPort;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  /** Creates a cluster without starting it, in a folder of its own in `parent`. */
  static async create(parent = tmpdir()): Promise<Cluster> {
    const user = await clusterOwner();
    if (user && parent !== tmpdir()) await chown(parent, user.uid, user.gid);
    const cluster = await Cluster.inNewFolder(parent, user);
    await cluster.run("initdb", ["-D", cluster.data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]);
    return cluster;
  }

  private static async inNewFolder(parent: string, user: Cluster["user"]): Promise<Cluster> {
    const folder = await mkdtemp(join(parent, "messenger-cluster-"));
    if (user) await chown(folder, user.uid, user.gid);
    return new Cluster(folder, user, await freePort());
  }

  /** Starts a second server that copies every change of this one, shortly after it is committed. */
  async createStandby(): Promise<Cluster> {
    const standby = await Cluster.inNewFolder(tmpdir(), this.user);
    await this.runClient("pg_basebackup", ["-D", standby.data, "-R", "-X", "stream", "-c", "fast", "--no-sync"]);
    await standby.start();
    return standby;
  }

  /** Waits until this standby has copied everything that a server has committed so far. */
  async catchUpWith(primary: Cluster): Promise<void> {
    const read = async (url: string, sql: string) => (await onDatabase(url, (client) => client.query(sql))).rows[0];
    const { lsn } = await read(primary.url, "SELECT pg_current_wal_lsn()::text AS lsn");
    const sql = `SELECT pg_last_wal_replay_lsn() >= '${lsn}' AS has`;
    while (!(await read(this.url, sql)).has) await wait(20);
  }

  /** Starts this stopped standby as a server of its own: it continues from what it has copied, on a new timeline. */
  async promote(): Promise<void> {
    await this.start();
    await this.run("pg_ctl", ["-D", this.data, "-w", "promote"]);
  }

  /** Starts this stopped server on another port. */
  async startOn(port: number): Promise<void> {
    this.currentPort = port;
    await this.start();
  }

  async start(): Promise<void> {
    const options = `-p ${this.port} -k ${this.folder} -c listen_addresses=127.0.0.1`;
    // The server inherits the output streams of pg_ctl, so waiting for them to close would never end.
    const child = spawn(
      binPath("pg_ctl"),
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

  /** Writes a consistent copy of the database to a file, while it is in use. @returns the path of the file */
  async dump(): Promise<string> {
    const path = join(this.folder, "backup");
    await this.runClient("pg_dump", ["--format=custom", `--file=${path}`, "postgres"]);
    return path;
  }

  /** Replaces the database by a copy. No session may be using it. */
  async restore(path: string): Promise<void> {
    await this.runClient("dropdb", ["--maintenance-db=template1", "postgres"]);
    await this.runClient("createdb", ["--maintenance-db=template1", "--template=template0", "postgres"]);
    await this.runClient("pg_restore", ["--exit-on-error", "--dbname=postgres", path]);
  }

  /** Suspends all processes of the server: connections stay open and get no response. */
  async pause(): Promise<void> {
    this.paused = await this.processIds();
    for (const pid of this.paused) process.kill(pid, "SIGSTOP");
  }

  /** Resumes a paused server. */
  resume(): void {
    for (const pid of this.paused.splice(0)) process.kill(pid, "SIGCONT");
  }

  async remove(): Promise<void> {
    this.resume();
    await this.stop("immediate").catch(() => {});
    await this.removeStopped();
  }

  /** Removes the data of a stopped server. */
  async removeStopped(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The postmaster comes first, so that it cannot start new processes while the others are being suspended. */
  private async processIds(): Promise<number[]> {
    const [main = ""] = (await readFile(join(this.data, "postmaster.pid"), "utf8")).split("\n");
    const { stdout } = await run("pgrep", ["-P", main]);
    return [main, ...stdout.trim().split("\n")].map(Number);
  }

  private get data(): string {
    return join(this.folder, "data");
  }

  private runClient(name: string, parameters: string[]) {
    return this.run(name, ["-h", "127.0.0.1", "-p", `${this.port}`, "-U", "postgres", ...parameters]);
  }

  private run(name: string, parameters: string[]) {
    return run(binPath(name), parameters, { cwd: this.folder, ...this.user });
  }
}
