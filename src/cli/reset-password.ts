import { AppError, StartError } from "../errors.ts";
import { resetUserPassword } from "./commands/users-reset-password.ts";
import { runCommand } from "./run-command.ts";

// The earlier name of `users reset-password`: `npm run user:reset-password -- ann@example.org`.

async function main(): Promise<void> {
  const email = process.argv.at(-1) ?? "";
  if (!email.includes("@"))
    throw new StartError("Pass an e-mail address: npm run user:reset-password -- ann@example.org");
  const { text } = await runCommand(resetUserPassword, { email });
  process.stdout.write(text);
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`${error instanceof AppError || error instanceof StartError ? error.message : error.stack}\n`);
    process.exit(1);
  },
);
