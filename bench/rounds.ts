import type { ChatJob, ChatResult } from "./load/chat.ts";
import { prepareLoad } from "./load/load.ts";
import type { ComparedServer } from "./servers.ts";
import { median, quantile } from "./statistics.ts";

/** The results of one server: medians of the rounds. */
export interface ChatFigures {
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  /** Milliseconds per 1,000 messages. */
  serverCpu: number;
  databaseCpu: number;
  /** Of the server and the database together, in microseconds. */
  cpuPerDelivery: number;
  p50: number;
  p99: number;
}

/** Lost, duplicated and rejected messages of all rounds. */
export type Faults = Set<string>;

interface RoundOptions {
  warmUpRounds: number;
  rounds: number;
  before: () => Promise<void>;
  faults: Faults;
}

/** Runs the same job on all servers in turn. @returns the medians of the rounds of each server */
export async function measureInRounds(
  servers: readonly ComparedServer[],
  makeJob: (server: ComparedServer) => ChatJob,
  options: RoundOptions,
): Promise<Map<string, ChatFigures>> {
  const all = await measureRounds(servers, makeJob, options);
  return new Map([...all].map(([name, figures]) => [name, medians(figures)]));
}

/**
 * Runs the same job on all servers in turn, in every other round in the opposite order, so that other load on the machine
 * affects them alike. Of the warm-up rounds only the faults count.
 * @returns the figures of each round, by server
 */
export async function measureRounds(
  servers: readonly ComparedServer[],
  makeJob: (server: ComparedServer) => ChatJob,
  options: RoundOptions,
): Promise<Map<string, ChatFigures[]>> {
  const all = new Map<string, ChatFigures[]>(servers.map(({ name }) => [name, []]));
  for (let round = 0; round < options.warmUpRounds + options.rounds; round++) {
    if (round === options.warmUpRounds) for (const { startProfile } of servers) startProfile?.();
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      await options.before();
      const figures = await measureOnce(server, makeJob(server), options.faults);
      if (round >= options.warmUpRounds) all.get(server.name)?.push(figures);
    }
  }
  return all;
}

async function measureOnce(server: ComparedServer, job: ChatJob, faults: Faults): Promise<ChatFigures> {
  const load = await prepareLoad<ChatJob, ChatResult>("./chat-process.ts", job);
  try {
    const before = server.cpu();
    const result = await load.run();
    const after = server.cpu();
    for (const [what, count] of Object.entries(result.faults)) faults.add(`${server.name}: ${what}: ${count}`);
    return toFigures(result, { server: after.server - before.server, database: after.database - before.database });
  } finally {
    await load.close();
  }
}

function toFigures(result: ChatResult, cpu: { server: number; database: number }): ChatFigures {
  const { acknowledged, delivered, elapsedMs, latenciesMs } = result;
  return {
    messagesPerSecond: (acknowledged / elapsedMs) * 1000,
    deliveriesPerSecond: (delivered / elapsedMs) * 1000,
    serverCpu: (cpu.server / acknowledged) * 1000,
    databaseCpu: (cpu.database / acknowledged) * 1000,
    cpuPerDelivery: ((cpu.server + cpu.database) / delivered) * 1000,
    p50: quantile(latenciesMs, 0.5),
    p99: quantile(latenciesMs, 0.99),
  };
}

function medians(rounds: readonly ChatFigures[]): ChatFigures {
  const of = (key: keyof ChatFigures) => median(rounds.map((round) => round[key]));
  return {
    messagesPerSecond: of("messagesPerSecond"),
    deliveriesPerSecond: of("deliveriesPerSecond"),
    serverCpu: of("serverCpu"),
    databaseCpu: of("databaseCpu"),
    cpuPerDelivery: of("cpuPerDelivery"),
    p50: of("p50"),
    p99: of("p99"),
  };
}
