import { fork } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

/* The attackers of bench:login-flood, in their own process: this file, with the argument "attack". */

const attackerCount = 200;

/** A flood of logins with wrong passwords. */
export interface Flood {
  port: number;
  ms: number;
  /** Whether all attackers share one address, or have one each. */
  oneAddress: boolean;
  /** Time until an attacker retries after a rejection, in milliseconds. */
  pauseMs: number;
}

/** The floods by name. */
export const floods: Record<string, Pick<Flood, "oneAddress" | "pauseMs">> = {
  "200 addresses, again after 250 ms": { oneAddress: false, pauseMs: 250 },
  "200 addresses, again at once": { oneAddress: false, pauseMs: 0 },
  "200 addresses, again after Retry-After": { oneAddress: false, pauseMs: 2000 },
  "one address, again after 250 ms": { oneAddress: true, pauseMs: 250 },
  "one address, again at once": { oneAddress: true, pauseMs: 0 },
};

/** The response to a login. */
export interface LoginResult {
  status: number;
  ms: number;
}

/** Runs a flood. Every login is for another account. */
async function attack({ port, ms, oneAddress, pauseMs }: Flood): Promise<LoginResult[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: attackerCount });
  const results: LoginResult[] = [];
  const until = performance.now() + ms;
  let accounts = 0;
  const logIn = async (attacker: number) => {
    const startedAt = performance.now();
    const call = request({
      agent,
      port,
      method: "POST",
      path: "/auth/login",
      headers: { "content-type": "application/json", "x-forwarded-for": `10.0.0.${oneAddress ? 0 : attacker}` },
    });
    call.end(JSON.stringify({ email: `${process.pid}.${++accounts}@example.test`, password: "a wrong password" }));
    const [response] = await once(call, "response");
    response.resume();
    await once(response, "end");
    results.push({ status: response.statusCode, ms: performance.now() - startedAt });
    return response.statusCode !== 401;
  };
  await Promise.all(
    Array.from({ length: attackerCount }, async (_, attacker) => {
      if (pauseMs > 0) await wait((pauseMs * attacker) / attackerCount);
      while (performance.now() < until) if (await logIn(attacker)) await wait(pauseMs);
    }),
  );
  agent.destroy();
  return results;
}

/** Starts the process of the attackers in advance, since its start costs more CPU time than many logins. */
export async function startAttackers(): Promise<{ attack(flood: Flood): Promise<LoginResult[]>; stop(): void }> {
  const child = fork(new URL(import.meta.url), ["attack"]);
  const nextMessage = async (): Promise<unknown> => (await once(child, "message"))[0];
  await nextMessage();
  return {
    async attack(flood) {
      child.send(flood);
      return (await nextMessage()) as LoginResult[];
    },
    stop: () => child.disconnect(),
  };
}

if (process.argv[2] === "attack") {
  process.on("message", async (flood: Flood) => process.send?.(await attack(flood)));
  process.send?.("ready");
}
