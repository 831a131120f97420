import { type Account, registerAccount } from "../support/accounts.ts";
import type { ServerProcess } from "../support/process.ts";

/** Production settings, except for the rate limits, which would limit the accounts and sockets of one address. */
export const fuzzSettings = {
  NODE_ENV: "production",
  HOST: "127.0.0.1",
  BCRYPT_COST: "10",
  RATE_LIMITS: "off",
  JWT_SECRET: "for the fuzzer only, and long enough for it",
};

/** Registers users. */
export async function registerPeople(server: ServerProcess, count: number): Promise<Account[]> {
  const accounts: Account[] = [];
  for (let number = 0; number < count; number++) {
    accounts.push(await registerAccount(server.port, `Person${number}`));
  }
  return accounts;
}

/** The lines of the output at level error or fatal, and those that are not log lines. */
export const errorLines = (output: string): string[] =>
  output.split("\n").filter((line) => line !== "" && !/^\{"level":"(trace|debug|info|warn)",/.test(line));
