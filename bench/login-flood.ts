import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { ServerUnderTest } from "../test/chaos/server-under-test.ts";
import { Device } from "../test/support/device.ts";

// npm run bench:login-flood: what 200 log-ins at once, each from an address of its own and none of them right, do to
// those who chat. Quiet and flooded rounds take turns; the attackers are a process of their own.

const attackers = 200;
const chatters = 20;
/** Of one chatter, in milliseconds: half of what one person may send. */
const sendEveryMs = 200;
const rounds = 3;
const roundMs = 10_000;

interface Attempt {
  status: number;
  ms: number;
}

const percentile = (values: number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const print = (line: string) => process.stdout.write(`${line}\n`);

/** The attackers' process: each asks again as soon as it is answered, and always for another account. */
async function attack(port: number): Promise<Attempt[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: attackers });
  const attempts: Attempt[] = [];
  const until = performance.now() + roundMs;
  let accounts = 0;
  const guess = async (attacker: number) => {
    const startedAt = performance.now();
    const asked = request({
      agent,
      port,
      method: "POST",
      path: "/auth/login",
      headers: { "content-type": "application/json", "x-forwarded-for": `10.0.${attacker >> 8}.${attacker & 255}` },
    });
    asked.end(JSON.stringify({ email: `${process.pid}.${++accounts}@example.test`, password: "a wrong password" }));
    const [response] = await once(asked, "response");
    response.resume();
    await once(response, "end");
    attempts.push({ status: response.statusCode, ms: performance.now() - startedAt });
  };
  await Promise.all(
    Array.from({ length: attackers }, async (_, attacker) => {
      while (performance.now() < until) await guess(attacker);
    }),
  );
  agent.destroy();
  return attempts;
}

function startAttack(port: number): Promise<Attempt[]> {
  const child = fork(new URL(import.meta.url), [String(port)]);
  return new Promise((resolve) => child.once("message", (attempts) => resolve(attempts as Attempt[])));
}

async function main(): Promise<void> {
  const server = await ServerUnderTest.make({
    database: "server",
    settings: {
      RATE_LIMITS: "on",
      BCRYPT_COST: "12",
      TRUSTED_PROXY_HOPS: "1",
      NODE_OPTIONS: `--import ${new URL("event-loop-delay.mjs", import.meta.url)}`,
    },
  });
  try {
    await server.startAll();
    const people = [];
    for (let n = 0; n < chatters; n++) people.push(await chatter(server.port, n));

    const quiet: number[] = [];
    const flooded: number[] = [];
    const attempts: Attempt[] = [];
    const loops = { quiet: [] as string[], flooded: [] as string[] };
    await chat(people, 2000);
    await loopDelay(server);
    for (let round = 0; round < rounds; round++) {
      quiet.push(...(await chat(people, roundMs)));
      loops.quiet.push(await loopDelay(server));
      const attacking = startAttack(server.port);
      flooded.push(...(await chat(people, roundMs)));
      attempts.push(...(await attacking));
      loops.flooded.push(await loopDelay(server));
    }

    for (const [name, times] of Object.entries({ quiet, flooded })) {
      const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
      print(`chat, ${name}: answered after ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, n = ${times.length}`);
    }
    for (const [name, delays] of Object.entries(loops)) print(`event loop delay, ${name}: ${delays.join(", ")}`);
    for (const status of [...new Set(attempts.map((attempt) => attempt.status))].sort()) {
      const times = attempts.filter((attempt) => attempt.status === status).map(({ ms }) => ms);
      print(
        `log-ins answered ${status}: ${times.length}, after ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms`,
      );
    }
    await server.endAll("SIGTERM");
  } finally {
    await server.remove();
  }
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

/** How late the server's event loop ran since the last time. */
async function loopDelay(underTest: ServerUnderTest): Promise<string> {
  const server = underTest.process();
  const before = server?.output.length ?? 0;
  server?.child.kill("SIGUSR2");
  for (;;) {
    const said = /event loop delay: (\{.*\})\n/.exec(server?.output.slice(before) ?? "")?.[1];
    if (!said) {
      await wait(20);
      continue;
    }
    const { p99, max } = JSON.parse(said) as { p99: number; max: number };
    return `p99 ${p99.toFixed(0)} ms (max ${max.toFixed(0)} ms)`;
  }
}

const port = Number(process.argv[2]);
if (process.send && port) process.send(await attack(port), () => process.disconnect());
else await main();
