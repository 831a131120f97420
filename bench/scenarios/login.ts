import bcrypt from "bcrypt";
import { readSettings } from "../../src/config/read-settings.ts";
import type { Scenario } from "../scenario.ts";
import { type ComparedServer, startServer, withServers } from "../servers.ts";
import { median } from "../statistics.ts";

const people = 100;
const password = "a long sentence";
/** The server's defaults. */
const { cost, concurrency } = readSettings({}).passwords;
/** Concurrent logins: no more than the server queues. */
const inFlight = 8;

interface Figures {
  perSecond: number;
  /** Median duration, in milliseconds. */
  ms: number;
}

/** Repeats a task with the given concurrency, and waits for the last ones to finish. */
async function repeat(
  seconds: number,
  concurrency: number,
  work: (count: number) => Promise<unknown>,
): Promise<Figures> {
  const times: number[] = [];
  const beganAt = performance.now();
  let count = 0;
  const worker = async () => {
    while (performance.now() < beganAt + seconds * 1000) {
      const startedAt = performance.now();
      await work(count++);
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { perSecond: (1000 * times.length) / (performance.now() - beganAt), ms: median(times) };
}

async function logIn({ url }: ComparedServer, person: number): Promise<void> {
  const response = await fetch(new URL("/auth/login", url.replace("ws:", "http:")), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: `p${person}@bench.test`, password }),
  });
  await response.text();
  if (response.status !== 200) throw new Error(`a login was answered with ${response.status}`);
}

export const login: Scenario = {
  summary: "logins per second, compared to bcrypt alone",
  async run({ warmUpRounds, rounds, seconds, only }, databaseServer) {
    const hash = await bcrypt.hash(password, cost);
    const dataset = { people, sql: `UPDATE users SET password_hash = '${hash}'` };
    const ours = (["ours", "ours-embedded"] as const).filter((name) => only.includes(name));
    const starters = ours.map((name) => () => startServer(name, { databaseServer, dataset }));
    return withServers(starters, async (servers) => {
      const all = new Map<string, Figures[]>();
      const record = (name: string, figures: Figures) => all.set(name, [...(all.get(name) ?? []), figures]);
      for (let round = 0; round < warmUpRounds + rounds; round++) {
        if (round === warmUpRounds) all.clear();
        record("bcrypt alone", await repeat(seconds, concurrency, () => bcrypt.compare(password, hash)));
        for (const server of servers) {
          const nextLogin = (count: number) => logIn(server, 1 + (count % people));
          record(server.name, await repeat(seconds, inFlight, nextLogin));
        }
      }
      const medianSpeed = (name: string) => median((all.get(name) ?? []).map(({ perSecond }) => perSecond));
      return [
        {
          title: `login: cost ${cost}, ${inFlight} concurrent`,
          columns: ["", "logins/s", "to bcrypt alone", "p50 ms"],
          rows: [...all].map(([name, figures]) => [
            name,
            medianSpeed(name),
            medianSpeed(name) / medianSpeed("bcrypt alone"),
            median(figures.map(({ ms }) => ms)),
          ]),
          targets: [],
          faults: [],
        },
      ];
    });
  },
};
