import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ServerUnderTest } from "../test/chaos/server-under-test.ts";
import { Device } from "../test/support/device.ts";
import { median, quantile } from "./statistics.ts";

// npm run bench:login-flood [-- --rounds N --seconds N --flood NAME]: what 200 log-ins at once, none of them right, do to
// those who chat, and how long the refused ones wait for their answer. Quiet and flooded rounds take turns; the figures are
// medians of the rounds. The attackers are a process of their own, on the same cores. Ends with 1 if a target is missed.

const attackersAtOnce = 200;
const chatters = 20;
/** Of one chatter, in milliseconds: half of what one person may send. */
const sendEveryMs = 200;
const lookAtHealthEveryMs = 200;

const targets = { chatTimes: 2, loopDelayMs: 100, refusedMs: 100 };

interface Flood {
  port: number;
  ms: number;
  /** Each attacker has an address of its own, or all have the same. */
  oneAddress: boolean;
  /** How long an attacker waits after a refusal, in milliseconds. */
  pauseMs: number;
}

const floods: Record<string, Pick<Flood, "oneAddress" | "pauseMs">> = {
  "200 addresses, again after 250 ms": { oneAddress: false, pauseMs: 250 },
  "200 addresses, again at once": { oneAddress: false, pauseMs: 0 },
  "200 addresses, again when told": { oneAddress: false, pauseMs: 2000 },
  "one address, again after 250 ms": { oneAddress: true, pauseMs: 250 },
  "one address, again at once": { oneAddress: true, pauseMs: 0 },
};

interface Answer {
  status: number;
  ms: number;
}

const print = (line: string) => process.stdout.write(`${line}\n`);
const ofAll = (times: readonly number[], share: number) =>
  quantile(
    [...times].sort((a, b) => a - b),
    share,
  );
const refusals = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 429 || status === 503);

/** The attackers' process: each guesses for another account every time. */
async function attack({ port, ms, oneAddress, pauseMs }: Flood): Promise<Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: attackersAtOnce });
  const answers: Answer[] = [];
  const until = performance.now() + ms;
  let accounts = 0;
  const guess = async (attacker: number) => {
    const startedAt = performance.now();
    const asked = request({
      agent,
      port,
      method: "POST",
      path: "/auth/login",
      headers: { "content-type": "application/json", "x-forwarded-for": `10.0.0.${oneAddress ? 0 : attacker}` },
    });
    asked.end(JSON.stringify({ email: `${process.pid}.${++accounts}@example.test`, password: "a wrong password" }));
    const [response] = await once(asked, "response");
    response.resume();
    await once(response, "end");
    answers.push({ status: response.statusCode, ms: performance.now() - startedAt });
    return response.statusCode !== 401;
  };
  await Promise.all(
    Array.from({ length: attackersAtOnce }, async (_, attacker) => {
      if (pauseMs > 0) await wait((pauseMs * attacker) / attackersAtOnce);
      while (performance.now() < until) if (await guess(attacker)) await wait(pauseMs);
    }),
  );
  agent.destroy();
  return answers;
}

/** Another process, which attacks when it is told to: its start costs more than many log-ins. */
async function makeAttackers(): Promise<{ attack(flood: Flood): Promise<Answer[]>; dismiss(): void }> {
  const child = fork(new URL(import.meta.url), ["attack"]);
  const said = async (): Promise<unknown> => (await once(child, "message"))[0];
  await said();
  return {
    async attack(flood) {
      child.send(flood);
      return (await said()) as Answer[];
    },
    dismiss: () => child.disconnect(),
  };
}

interface Figures {
  chat: number[];
  health: number[];
  loopDelayP99: number;
  answers: Answer[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "30" },
      flood: { type: "string", default: "200 addresses, again at once" },
    },
  });
  const flood = floods[values.flood];
  if (!flood) throw new Error(`there are these floods: ${Object.keys(floods).join("; ")}`);
  const ms = Number(values.seconds) * 1000;
  const server = await ServerUnderTest.create({
    database: "server",
    settings: {
      RATE_LIMITS: "on",
      BCRYPT_COST: "12",
      TRUSTED_PROXY_HOPS: "1",
      NODE_OPTIONS: `--import ${new URL("event-loop-delay.mjs", import.meta.url)}`,
    },
  });
  const attackers = await makeAttackers();
  try {
    await server.startAll();
    const people: Awaited<ReturnType<typeof chatter>>[] = [];
    for (let n = 0; n < chatters; n++) people.push(await chatter(server.port, n));
    await chat(people, 2000);

    const round = async (attack?: () => Promise<Answer[]>): Promise<Figures> => {
      await loopDelayP99(server);
      const attacking = attack?.() ?? [];
      const [answered, health] = await Promise.all([chat(people, ms), lookAtHealth(server.port, ms)]);
      const loopDelay = await loopDelayP99(server);
      return { chat: answered, health, loopDelayP99: loopDelay, answers: await attacking };
    };
    const quiet: Figures[] = [];
    const flooded: Figures[] = [];
    for (let count = 0; count < Number(values.rounds); count++) {
      quiet.push(await round());
      flooded.push(await round(() => attackers.attack({ port: server.port, ms, ...flood })));
    }
    print(`quiet: ${report(quiet)}`);
    print(`${values.flood}: ${report(flooded)}`);
    process.exitCode = judge(quiet, flooded) ? 0 : 1;
    await server.stopAll("SIGTERM");
  } finally {
    attackers.dismiss();
    await server.remove();
  }
}

const chatP99 = ({ chat }: Figures) => ofAll(chat, 0.99);
const refusedAfter = ({ answers }: Figures, share: number) =>
  ofAll(
    refusals(answers).map(({ ms }) => ms),
    share,
  );

/** Says of each target whether it was reached; whether all were. */
function judge(quiet: readonly Figures[], flooded: readonly Figures[]): boolean {
  // Of rounds that follow each other, for a machine has better and worse minutes.
  const times = median(flooded.map((round, index) => chatP99(round) / chatP99(quiet[index] ?? round)));
  const loopDelay = median(flooded.map(({ loopDelayP99 }) => loopDelayP99));
  const refused = median(flooded.map((round) => refusedAfter(round, 0.99)));
  const verdicts = [
    [times <= targets.chatTimes, `chat p99 ${times.toFixed(2)} times the quiet one, at most ${targets.chatTimes}`],
    [loopDelay < targets.loopDelayMs, `event loop delay p99 ${loopDelay.toFixed(1)} ms, below ${targets.loopDelayMs}`],
    [refused < targets.refusedMs, `refused after p99 ${refused.toFixed(1)} ms, below ${targets.refusedMs}`],
  ] as const;
  for (const [isReached, what] of verdicts) print(`${isReached ? "pass" : "FAIL"}  ${what}`);
  return verdicts.every(([isReached]) => isReached);
}

/** Medians of the rounds, in one line. */
function report(rounds: readonly Figures[]): string {
  const of = (figure: (round: Figures) => number) => `${median(rounds.map(figure)).toFixed(1)} ms`;
  const count = (status: number) =>
    rounds.flatMap(({ answers }) => answers).filter((one) => one.status === status).length;
  const refused = (share: number) => of((round) => refusedAfter(round, share));
  return [
    `chat p50 ${of((round) => ofAll(round.chat, 0.5))}, p99 ${of(chatP99)}`,
    `event loop delay p99 ${of((round) => round.loopDelayP99)}`,
    `health p99 ${of((round) => ofAll(round.health, 0.99))}`,
    ...(count(429) + count(503) > 0
      ? [
          `refused after p50 ${refused(0.5)}, p99 ${refused(0.99)}`,
          `${count(401)} answered 401, ${count(429)} answered 429, ${count(503)} answered 503`,
        ]
      : []),
  ].join("; ");
}

/** Somebody with an account and an open socket. */
async function chatter(port: number, n: number): Promise<{ id: number; device: Device }> {
  const response = await fetch(`http://127.0.0.1:${port}/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-forwarded-for": `192.0.2.${n}` },
    body: JSON.stringify({ email: `chatter${n}@example.test`, password: "a long sentence", firstName: "Ann" }),
  });
  const { user, token } = (await response.json()) as { user: { id: number }; token: string };
  const headers = { authorization: `Bearer ${token}`, "x-forwarded-for": `192.0.2.${n}` };
  return { id: user.id, device: await Device.connect(`ws://127.0.0.1:${port}`, { headers }) };
}

/** Everyone writes to the next one at a steady pace. How long each answer took, in milliseconds. */
async function chat(people: { id: number; device: Device }[], ms: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ms;
  await Promise.all(
    people.map(async ({ device }, n) => {
      const receiverId = people[(n + 1) % people.length]?.id ?? 0;
      await wait((n * sendEveryMs) / people.length);
      for (let next = performance.now(); next < until; next += sendEveryMs) {
        await wait(Math.max(0, next - performance.now()));
        const startedAt = performance.now();
        await device.request("privateMessage", { receiverId, content: "hello" });
        times.push(performance.now() - startedAt);
        device.frames.length = 0;
      }
    }),
  );
  return times;
}

/** Asks at a steady pace, each time on a new connection, whether the process is ready. */
async function lookAtHealth(port: number, ms: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const startedAt = performance.now();
    const asked = request({ port, path: "/health/ready", agent: false }).end();
    const [response] = await once(asked, "response");
    response.resume();
    if (response.statusCode !== 200) throw new Error(`not ready: ${response.statusCode}`);
    times.push(performance.now() - startedAt);
    await wait(lookAtHealthEveryMs);
  }
  return times;
}

/** How late the server's event loop ran since the last time: the 99th percentile, in milliseconds. */
async function loopDelayP99(underTest: ServerUnderTest): Promise<number> {
  const server = underTest.process();
  const before = server?.output.length ?? 0;
  server?.child.kill("SIGUSR2");
  for (;;) {
    const said = /event loop delay: (\{.*\})\n/.exec(server?.output.slice(before) ?? "")?.[1];
    if (said) return (JSON.parse(said) as { p99: number }).p99;
    await wait(20);
  }
}

if (process.argv[2] === "attack") {
  process.on("message", async (flood: Flood) => process.send?.(await attack(flood)));
  process.send?.("ready");
} else await main();
