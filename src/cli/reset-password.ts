import { loadSettings } from "../config/read-settings.ts";
import { openDatabase } from "../db/open.ts";
import { AppError, StartError } from "../errors.ts";
import { createLogger } from "../logger.ts";
import { resetPassword } from "../services/accounts/password-reset.ts";
import { Passwords } from "../services/accounts/passwords.ts";

// Command for operators: `npm run user:reset-password -- ann@example.org`.

async function main(): Promise<void> {
  const email = process.argv.at(-1) ?? "";
  if (!email.includes("@"))
    throw new StartError("Pass an e-mail address: npm run user:reset-password -- ann@example.org");
  const config = loadSettings();
  const { database, close } = await openDatabase({
    databaseUrl: config.database.url,
    dataDir: config.server.dataDir,
    poolSize: 1,
    timeouts: config.database.timeouts,
    startTimeoutMs: config.database.startTimeoutMs,
    log: createLogger({ level: "silent", readable: false }),
    signal: new AbortController().signal,
    mustExist: true,
  });
  try {
    const password = await resetPassword({ database, passwords: new Passwords(config.passwords) }, email);
    process.stdout.write(`The new password of ${email} is ${password}\nAll sessions of this account have ended.\n`);
  } finally {
    await close();
  }
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`${error instanceof AppError || error instanceof StartError ? error.message : error.stack}\n`);
    process.exit(1);
  },
);
