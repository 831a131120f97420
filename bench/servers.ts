import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startEngine } from "../src/db/open.ts";
import { ServerProcess, startFlags } from "../test/support/process.ts";
import type { Arena } from "./database-server.ts";
import { cpuMs, residentBytes } from "./process-use.ts";
import { benchSecret, populate, tokenOf, type World } from "./dataset.ts";

export const contestantNames = ["relay", "relay-batch", "usual", "ours", "ours-embedded"] as const;
export type ContestantName = (typeof contestantNames)[number];

/** CPU time in milliseconds. */
export interface CpuUse {
  server: number;
  database: number;
}

/** A server process that the load talks to. */
export interface Contestant {
  name: string;
  url: string;
  tokenOf(userId: number): string;
  cpu(): CpuUse;
  residentBytes(): number;
  /** Tells it to collect its garbage, which takes a moment. */
  collectGarbage(): void;
  /** Starts its CPU profile, if one was asked for. */
  startProfile?(): void;
  stop(): Promise<void>;
}

export interface Entry {
  arena: Arena;
  world: World;
  /** What the table calls it, unless by its name. */
  as?: string;
  /** A folder for the CPU profile of our server. */
  profile?: string | undefined;
}

/** Starts contestants, lets them work, and stops them whatever comes of it. */
export async function withContestants<T>(
  starts: readonly (() => Promise<Contestant>)[],
  work: (contestants: readonly Contestant[]) => Promise<T>,
): Promise<T> {
  const contestants: Contestant[] = [];
  try {
    for (const start of starts) contestants.push(await start());
    return await work(contestants);
  } finally {
    for (const contestant of contestants) await contestant.stop();
  }
}

/** Starts a contestant with the people of `world`. */
export function enter(name: ContestantName, entry: Entry): Promise<Contestant> {
  if (name === "ours") return enterOurs(entry);
  if (name === "ours-embedded") return enterEmbedded(entry);
  return enterRelay(name, entry);
}

async function enterOurs({ arena, world, as = "ours", profile }: Entry): Promise<Contestant> {
  const url = await arena.database();
  await populate(url, world);
  const server = await startOurs({ DATABASE_URL: url }, profile);
  return ours(as, server, { databaseMs: () => arena.cpuMs(), profile });
}

async function enterEmbedded({ world, as = "ours-embedded", profile }: Entry): Promise<Contestant> {
  const folder = await mkdtemp(join(tmpdir(), "messenger-bench-"));
  const engine = await startEngine({ databaseUrl: undefined, dataDir: folder });
  await populate(engine.url, world).finally(() => engine.stop());
  const server = await startOurs({ DATA_DIR: folder }, profile);
  // The database is a thread of the server here.
  return ours(as, server, {
    databaseMs: () => 0,
    profile,
    afterwards: () => rm(folder, { recursive: true, force: true }),
  });
}

const withProbe = `--import=${new URL("./probe.mjs", import.meta.url)}`;

/** Our server as it is built, with everything on but the rate limits. */
export const startOurs = (settings: Record<string, string>, profile?: string): Promise<ServerProcess> =>
  ServerProcess.start({
    // The line that says where it listens is of this level; nothing is logged for a frame.
    LOG_LEVEL: "info",
    RATE_LIMITS: "off",
    JWT_SECRET: benchSecret,
    MAX_GROUP_MEMBERS: "100000",
    MAX_SOCKETS: "100000",
    ...settings,
    NODE_OPTIONS: withProbe,
    ...(profile && { PROFILE_DIR: profile }),
  });

function ours(
  name: string,
  server: ServerProcess,
  options: { databaseMs: () => number; profile: string | undefined; afterwards?: () => Promise<void> },
): Contestant {
  const pid = server.child.pid ?? 0;
  endWithUs(server.child);
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
      await options.afterwards?.();
      if (code !== 0) throw new Error(`${name} ended with ${code}: ${output.slice(-2000)}`);
    },
  };
}

async function enterRelay(
  name: "relay" | "relay-batch" | "usual",
  { arena, world, as = name }: Entry,
): Promise<Contestant> {
  const path = fileURLToPath(new URL(`./limits/${name}.ts`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [...startFlags, "--import", "tsx", path], {
    env: {
      PATH: process.env.PATH,
      NODE_OPTIONS: withProbe,
      ...(name !== "relay" && { DATABASE_URL: await arena.database() }),
      ...(name === "usual" && { PEOPLE: String(world.people), GROUPS: String(world.groups ?? "") }),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = child.pid ?? 0;
  endWithUs(child);
  const port = await portOf(child);
  return {
    name: as,
    url: `ws://127.0.0.1:${port}/`,
    tokenOf: String,
    cpu: () => ({ server: cpuMs(pid), database: arena.cpuMs() }),
    residentBytes: () => residentBytes(pid),
    collectGarbage: () => void child.kill("SIGWINCH"),
    async stop() {
      const ended = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Lets no server live on when a run is broken off. */
function endWithUs(child: ChildProcess): void {
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}

async function portOf(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error("a relay without output");
  for await (const line of createInterface(child.stdout)) return Number(line.slice("port ".length));
  throw new Error("a relay ended before it listened");
}
