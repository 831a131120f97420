import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startEngine } from "../src/db/open.ts";
import { ServerProcess, startFlags } from "../test/support/process.ts";
import type { BenchDatabaseServer } from "./database-server.ts";
import { benchSecret, type Dataset, populate, tokenOf } from "./dataset.ts";
import { cpuMs, residentBytes } from "./process-use.ts";

export const serverNames = ["relay", "relay-batch", "usual", "ours", "ours-embedded"] as const;
export type ServerName = (typeof serverNames)[number];

/** CPU time in milliseconds. */
export interface CpuUse {
  server: number;
  database: number;
}

/** A server process under load. */
export interface ComparedServer {
  name: string;
  url: string;
  tokenOf(userId: number): string;
  cpu(): CpuUse;
  residentBytes(): number;
  /** Starts a garbage collection, without waiting for it. */
  collectGarbage(): void;
  /** Starts a CPU profile, if one was requested. */
  startProfile?(): void;
  stop(): Promise<void>;
}

export interface ServerOptions {
  databaseServer: BenchDatabaseServer;
  dataset: Dataset;
  /** The name in the table, if not the server's. */
  label?: string;
  /** The folder for the CPU profile of the messenger. */
  profile?: string | undefined;
  /** Further settings of the messenger. */
  settings?: Record<string, string>;
}

/** Starts the servers, runs `work` and stops them afterwards. */
export async function withServers<T>(
  starters: readonly (() => Promise<ComparedServer>)[],
  work: (servers: readonly ComparedServer[]) => Promise<T>,
): Promise<T> {
  const servers: ComparedServer[] = [];
  try {
    for (const start of starters) servers.push(await start());
    return await work(servers);
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** Starts a server with the users of the dataset. */
export function startServer(name: ServerName, options: ServerOptions): Promise<ComparedServer> {
  if (name === "ours") return startMessenger(options);
  if (name === "ours-embedded") return startEmbeddedMessenger(options);
  return startReference(name, options);
}

async function startMessenger({
  databaseServer,
  dataset,
  label = "ours",
  profile,
  settings,
}: ServerOptions): Promise<ComparedServer> {
  const url = await databaseServer.createDatabase();
  await populate(url, dataset);
  const server = await startMessengerProcess({ DATABASE_URL: url, ...settings }, profile);
  return comparedMessenger(label, server, { databaseMs: () => databaseServer.cpuMs(), profile });
}

async function startEmbeddedMessenger({
  dataset,
  label = "ours-embedded",
  profile,
}: ServerOptions): Promise<ComparedServer> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-bench-"));
  const engine = await startEngine({ databaseUrl: undefined, dataDir: folder });
  await populate(engine.url, dataset).finally(() => engine.stop());
  const server = await startMessengerProcess({ DATA_DIR: folder }, profile);
  // The embedded database runs as a thread of the server.
  return comparedMessenger(label, server, {
    databaseMs: () => 0,
    profile,
    cleanUp: () => rm(folder, { recursive: true, force: true }),
  });
}

const probeOption = `--import=${new URL("./probe.mjs", import.meta.url)}`;

/** Starts the built messenger with all features but the rate limits. */
export const startMessengerProcess = (settings: Record<string, string>, profile?: string): Promise<ServerProcess> =>
  ServerProcess.start({
    // Needed for the line with the port. Frames are not logged at this level.
    LOG_LEVEL: "info",
    RATE_LIMITS: "off",
    JWT_SECRET: benchSecret,
    MAX_GROUP_MEMBERS: "100000",
    MAX_SOCKETS: "100000",
    ...settings,
    NODE_OPTIONS: probeOption,
    ...(profile && { PROFILE_DIR: profile }),
  });

function comparedMessenger(
  name: string,
  server: ServerProcess,
  options: { databaseMs: () => number; profile: string | undefined; cleanUp?: () => Promise<void> },
): ComparedServer {
  const pid = server.child.pid ?? 0;
  killOnExit(server.child);
  return {
    name,
    url: `ws://127.0.0.1:${server.port}/`,
    tokenOf,
    cpu: () => ({ server: cpuMs(pid), database: options.databaseMs() }),
    residentBytes: () => residentBytes(pid),
    collectGarbage: () => void server.child.kill("SIGWINCH"),
    ...(options.profile && { startProfile: () => void server.child.kill("SIGUSR2") }),
    async stop() {
      const { code, output } = await server.stop("SIGTERM");
      await options.cleanUp?.();
      if (code !== 0) throw new Error(`${name} exited with ${code}: ${output.slice(-2000)}`);
    },
  };
}

async function startReference(
  name: "relay" | "relay-batch" | "usual",
  { databaseServer, dataset, label = name }: ServerOptions,
): Promise<ComparedServer> {
  const path = fileURLToPath(new URL(`./limits/${name}.ts`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [...startFlags, "--import", "tsx", path], {
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: probeOption,
      ...(name !== "relay" && { DATABASE_URL: await databaseServer.createDatabase() }),
      ...(name === "usual" && { PEOPLE: String(dataset.people), GROUPS: String(dataset.groups ?? "") }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = child.pid ?? 0;
  killOnExit(child);
  const port = await readPort(child);
  return {
    name: label,
    url: `ws://127.0.0.1:${port}/`,
    tokenOf: String,
    cpu: () => ({ server: cpuMs(pid), database: databaseServer.cpuMs() }),
    residentBytes: () => residentBytes(pid),
    collectGarbage: () => void child.kill("SIGWINCH"),
    async stop() {
      const exited = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Kills the server when this process exits. */
function killOnExit(child: ChildProcess): void {
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}

async function readPort(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error("the reference server has no output");
  for await (const line of createInterface(child.stdout)) return Number(line.slice("port ".length));
  throw new Error("the reference server exited before it listened");
}
