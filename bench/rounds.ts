import type { Contestant } from "./servers.ts";
import { prepareLoad } from "./load/load.ts";
import type { TalkJob, TalkResult } from "./load/talk.ts";
import { median, quantile } from "./statistics.ts";

/** What one contestant did in the rounds: medians of them. */
export interface TalkFigures {
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  /** Milliseconds for 1,000 messages. */
  serverCpu: number;
  databaseCpu: number;
  /** Of server and database together, in microseconds. */
  cpuPerDelivery: number;
  p50: number;
  p99: number;
}

/** Collects over all rounds what must not happen. */
export type Faults = Set<string>;

/**
 * Lets the contestants do the same job in turn, so that what else the machine does hits all of them alike. Rounds to
 * warm up count only for their faults.
 */
export async function talkInRounds(
  contestants: readonly Contestant[],
  makeJob: (contestant: Contestant) => TalkJob,
  options: { warmUps: number; rounds: number; before: () => Promise<void>; faults: Faults },
): Promise<Map<string, TalkFigures>> {
  const all = new Map<string, TalkFigures[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < options.warmUps + options.rounds; round++) {
    if (round === options.warmUps) for (const { startProfile } of contestants) startProfile?.();
    for (const contestant of contestants) {
      await options.before();
      const figures = await talkOnce(contestant, makeJob(contestant), options.faults);
      if (round >= options.warmUps) all.get(contestant.name)?.push(figures);
    }
  }
  return new Map([...all].map(([name, figures]) => [name, medians(figures)]));
}

async function talkOnce(contestant: Contestant, job: TalkJob, faults: Faults): Promise<TalkFigures> {
  const load = await prepareLoad<TalkJob, TalkResult>("./talk-process.ts", job);
  try {
    const before = contestant.cpu();
    const result = await load.run();
    const after = contestant.cpu();
    for (const [what, count] of Object.entries(result.faults)) faults.add(`${contestant.name}: ${what}: ${count}`);
    return figuresOf(result, { server: after.server - before.server, database: after.database - before.database });
  } finally {
    await load.close();
  }
}

function figuresOf(result: TalkResult, cpu: { server: number; database: number }): TalkFigures {
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

function medians(rounds: readonly TalkFigures[]): TalkFigures {
  const of = (key: keyof TalkFigures) => median(rounds.map((round) => round[key]));
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
