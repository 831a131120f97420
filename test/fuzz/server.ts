import type { ServerProcess } from "../support/process.ts";
import type { Account } from "./run.ts";

/** Production as it is meant, but for the limits that keep one address from making so many accounts and sockets. */
export const settings = {
  NODE_ENV: "production",
  HOST: "127.0.0.1",
  BCRYPT_COST: "10",
  RATE_LIMITS: "off",
  JWT_SECRET: "for the fuzzer only, and long enough for it",
};

/** Registers so many people. */
export async function registerPeople(server: ServerProcess, count: number): Promise<Account[]> {
  const accounts: Account[] = [];
  for (let number = 0; number < count; number++) {
    const response = await fetch(`http://127.0.0.1:${server.port}/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        email: `person${number}@example.test`,
        password: "correct horse battery",
        firstName: `Person${number}`,
      }),
    });
    if (response.status !== 201) throw new Error(`registration failed: ${await response.text()}`);
    const { user, token } = (await response.json()) as { user: { id: number }; token: string };
    accounts.push({ id: user.id, token });
  }
  return accounts;
}

/** The lines of the log that speak of a fault of the server: level error or fatal, and whatever is no line of a log. */
export const troubleIn = (output: string): string[] =>
  output.split("\n").filter((line) => line !== "" && !/^\{"level":(10|20|30|40),/.test(line));
