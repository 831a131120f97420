import { once } from "node:events";
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ServerUnderTest } from "../test/chaos/server-under-test.ts";
import { registerAccount } from "../test/support/accounts.ts";
import { Device } from "../test/support/device.ts";
import { floods, type LoginResult, startAttackers } from "./login-attack.ts";
import { median, quantile } from "./statistics.ts";

// npm run bench:login-flood [-- --rounds N --seconds N --flood NAME]: measures how 200 concurrent failing logins affect
// users who chat, and the response time of the rejected logins. Quiet and flooded rounds alternate; the figures are medians
// of the rounds. The attackers run in their own process on the same cores. Exits with 1 if a target is missed.

const chatterCount = 20;
/** Send interval of a user, in milliseconds: half of the permitted rate. */
const sendIntervalMs = 200;
const healthCheckIntervalMs = 200;

const targets = { chatRatio: 2, loopDelayMs: 100, rejectionMs: 100 };

const print = (line: string) => process.stdout.write(`${line}\n`);
const quantileOf = (times: readonly number[], share: number) =>
  quantile(
    [...times].sort((a, b) => a - b),
    share,
  );
const rejections = (logins: readonly LoginResult[]) => logins.filter(({ status }) => status === 429 || status === 503);

interface Figures {
  chat: number[];
  health: number[];
  loopDelayP99: number;
  logins: LoginResult[];
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
  if (!flood) throw new Error(`unknown flood, choose one of: ${Object.keys(floods).join("; ")}`);
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
  const attackers = await startAttackers();
  try {
    await server.startAll();
    const users: Awaited<ReturnType<typeof startChatter>>[] = [];
    for (let n = 0; n < chatterCount; n++) users.push(await startChatter(server.port, n));
    await chat(users, 2000);

    const round = async (attack?: () => Promise<LoginResult[]>): Promise<Figures> => {
      await loopDelayP99(server);
      const attacking = attack?.() ?? [];
      const [chatTimes, health] = await Promise.all([chat(users, ms), pollHealth(server.port, ms)]);
      const loopDelay = await loopDelayP99(server);
      return { chat: chatTimes, health, loopDelayP99: loopDelay, logins: await attacking };
    };
    const quiet: Figures[] = [];
    const flooded: Figures[] = [];
    for (let count = 0; count < Number(values.rounds); count++) {
      quiet.push(await round());
      flooded.push(await round(() => attackers.attack({ port: server.port, ms, ...flood })));
    }
    print(`quiet: ${report(quiet)}`);
    print(`${values.flood}: ${report(flooded)}`);
    process.exitCode = checkTargets(quiet, flooded) ? 0 : 1;
    await server.stopAll("SIGTERM");
  } finally {
    attackers.stop();
    await server.remove();
  }
}

const chatP99 = ({ chat }: Figures) => quantileOf(chat, 0.99);
const rejectionTime = ({ logins }: Figures, share: number) =>
  quantileOf(
    rejections(logins).map(({ ms }) => ms),
    share,
  );

/** Prints whether each target was met. @returns whether all were */
function checkTargets(quiet: readonly Figures[], flooded: readonly Figures[]): boolean {
  // Compare consecutive rounds, since the speed of the machine varies over time.
  const chatRatio = median(flooded.map((round, index) => chatP99(round) / chatP99(quiet[index] ?? round)));
  const loopDelay = median(flooded.map(({ loopDelayP99 }) => loopDelayP99));
  const rejected = median(flooded.map((round) => rejectionTime(round, 0.99)));
  const results = [
    [
      chatRatio <= targets.chatRatio,
      `chat p99 ${chatRatio.toFixed(2)} times that of the quiet rounds, at most ${targets.chatRatio}`,
    ],
    [loopDelay < targets.loopDelayMs, `event loop delay p99 ${loopDelay.toFixed(1)} ms, below ${targets.loopDelayMs}`],
    [rejected < targets.rejectionMs, `rejected after p99 ${rejected.toFixed(1)} ms, below ${targets.rejectionMs}`],
  ] as const;
  for (const [isMet, what] of results) print(`${isMet ? "pass" : "FAIL"}  ${what}`);
  return results.every(([isMet]) => isMet);
}

/** Formats the medians of the rounds in one line. */
function report(rounds: readonly Figures[]): string {
  const of = (figure: (round: Figures) => number) => `${median(rounds.map(figure)).toFixed(1)} ms`;
  const count = (status: number) =>
    rounds.flatMap(({ logins }) => logins).filter((one) => one.status === status).length;
  const rejected = (share: number) => of((round) => rejectionTime(round, share));
  return [
    `chat p50 ${of((round) => quantileOf(round.chat, 0.5))}, p99 ${of(chatP99)}`,
    `event loop delay p99 ${of((round) => round.loopDelayP99)}`,
    `health p99 ${of((round) => quantileOf(round.health, 0.99))}`,
    ...(count(429) + count(503) > 0
      ? [
          `rejected after p50 ${rejected(0.5)}, p99 ${rejected(0.99)}`,
          `${count(401)} with 401, ${count(429)} with 429, ${count(503)} with 503`,
        ]
      : []),
  ].join("; ");
}

/** Registers a user and opens a socket. */
async function startChatter(port: number, n: number): Promise<{ id: number; device: Device }> {
  const address = { "x-forwarded-for": `192.0.2.${n}` };
  const { id, token } = await registerAccount(port, `Chatter${n}`, address);
  const headers = { authorization: `Bearer ${token}`, ...address };
  return { id, device: await Device.connect(`ws://127.0.0.1:${port}`, { headers }) };
}

/** Each user sends to the next one at a fixed rate. @returns the response times in milliseconds */
async function chat(users: { id: number; device: Device }[], ms: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ms;
  await Promise.all(
    users.map(async ({ device }, n) => {
      const receiverId = users[(n + 1) % users.length]?.id ?? 0;
      await wait((n * sendIntervalMs) / users.length);
      for (let next = performance.now(); next < until; next += sendIntervalMs) {
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

/** Polls the readiness of the server, each time on a new connection. @returns the response times in milliseconds */
async function pollHealth(port: number, ms: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ms;
  while (performance.now() < until) {
    const startedAt = performance.now();
    const call = request({ port, path: "/health/ready", agent: false }).end();
    const [response] = await once(call, "response");
    response.resume();
    if (response.statusCode !== 200) throw new Error(`not ready: ${response.statusCode}`);
    times.push(performance.now() - startedAt);
    await wait(healthCheckIntervalMs);
  }
  return times;
}

/** The 99th percentile of the event loop delay since the last call, in milliseconds. */
async function loopDelayP99(underTest: ServerUnderTest): Promise<number> {
  const server = underTest.process();
  const before = server?.output.length ?? 0;
  server?.child.kill("SIGUSR2");
  for (;;) {
    const printed = /event loop delay: (\{.*\})\n/.exec(server?.output.slice(before) ?? "")?.[1];
    if (printed) return (JSON.parse(printed) as { p99: number }).p99;
    await wait(20);
  }
}

await main();
