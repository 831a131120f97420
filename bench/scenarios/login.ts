import bcrypt from "bcrypt";
import { readSettings } from "../../src/config/read-settings.ts";
import { type Contestant, enter, withContestants } from "../servers.ts";
import type { Scenario } from "../scenario.ts";
import { median } from "../statistics.ts";

const people = 100;
const password = "a long sentence";
/** As the server has it unless told otherwise. */
const { cost, concurrency } = readSettings({}).passwords;
/** People who log in at the same moment: no more than may wait for their turn. */
const inFlight = 8;

interface Figures {
  perSecond: number;
  /** Median of how long each took, in milliseconds. */
  ms: number;
}

/** Does something over and over, by so many at once, and until the last of it is done. */
async function repeat(seconds: number, atOnce: number, work: (count: number) => Promise<unknown>): Promise<Figures> {
  const times: number[] = [];
  const begunAt = performance.now();
  let count = 0;
  const worker = async () => {
    while (performance.now() < begunAt + seconds * 1000) {
      const startedAt = performance.now();
      await work(count++);
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { perSecond: (1000 * times.length) / (performance.now() - begunAt), ms: median(times) };
}

async function logIn({ url }: Contestant, person: number): Promise<void> {
  const response = await fetch(new URL("/auth/login", url.replace("ws:", "http:")), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: `p${person}@bench.test`, password }),
  });
  await response.text();
  if (response.status !== 200) throw new Error(`a log-in was answered ${response.status}`);
}

export const login: Scenario = {
  summary: "people log in, beside bcrypt alone",
  async run({ warmUps, rounds, seconds, only }, arena) {
    const hash = await bcrypt.hash(password, cost);
    const world = { people, sql: `UPDATE users SET password_hash = '${hash}'` };
    const ours = (["ours", "ours-embedded"] as const).filter((name) => only.includes(name));
    const starts = ours.map((name) => () => enter(name, { arena, world }));
    return withContestants(starts, async (contestants) => {
      const all = new Map<string, Figures[]>();
      const note = (name: string, figures: Figures) => all.set(name, [...(all.get(name) ?? []), figures]);
      for (let round = 0; round < warmUps + rounds; round++) {
        if (round === warmUps) all.clear();
        note("bcrypt alone", await repeat(seconds, concurrency, () => bcrypt.compare(password, hash)));
        for (const contestant of contestants) {
          const oneAfterAnother = (count: number) => logIn(contestant, 1 + (count % people));
          note(contestant.name, await repeat(seconds, inFlight, oneAfterAnother));
        }
      }
      const speedOf = (name: string) => median((all.get(name) ?? []).map(({ perSecond }) => perSecond));
      return [
        {
          title: `login: cost ${cost}, ${inFlight} at the same moment`,
          columns: ["", "log-ins/s", "to bcrypt alone", "p50 ms"],
          rows: [...all].map(([name, figures]) => [
            name,
            speedOf(name),
            speedOf(name) / speedOf("bcrypt alone"),
            median(figures.map(({ ms }) => ms)),
          ]),
          targets: [],
          faults: [],
        },
      ];
    });
  },
};
