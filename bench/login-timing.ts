import { ServerUnderTest } from "../test/chaos/server-under-test.ts";

// npm run bench:login-timing [pairs]: checks whether the duration of a failed login reveals that an account exists. Sends
// logins over HTTP to its own server, one at a time, with a known and an unknown e-mail address in turn.

const pairs = Number(process.argv[2] ?? 300);
const server = await ServerUnderTest.create({
  database: "embedded",
  settings: { BCRYPT_COST: "10", RATE_LIMITS: "off" },
});
const print = (line: string) => process.stdout.write(`${line}\n`);

async function post(path: string, body: object, expected: number): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.text();
  if (response.status !== expected) throw new Error(`${path}: ${response.status}`);
  return performance.now() - startedAt;
}

const logIn = (email: string) => post("/auth/login", { email, password: "a wrong password" }, 401);
const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;

try {
  await server.startAll();
  await post("/auth/register", { email: "known@example.test", password: "a long sentence", firstName: "Ann" }, 201);
  const [known, unknown]: [number[], number[]] = [[], []];
  for (let pair = -10; pair < pairs; pair++) {
    // Alternate the order, so that neither always follows the other.
    const logIns = [
      async () => known.push(await logIn("known@example.test")),
      async () => unknown.push(await logIn(`other${Math.abs(pair)}@example.test`)),
    ];
    for (const attempt of pair % 2 ? logIns : logIns.reverse()) await attempt();
    if (pair === -1) known.length = unknown.length = 0;
  }
  const [ofKnown, ofUnknown] = [median(known), median(unknown)];
  print(`known:   median ${ofKnown.toFixed(2)} ms, n = ${known.length}`);
  print(`unknown: median ${ofUnknown.toFixed(2)} ms, n = ${unknown.length}`);
  print(`difference:  ${((100 * Math.abs(ofKnown - ofUnknown)) / ofKnown).toFixed(2)} %`);
} finally {
  await server.remove();
}
