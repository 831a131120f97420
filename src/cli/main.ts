import { createInterface } from "node:readline/promises";
import { CommanderError, Command as CommandLine } from "commander";
import { AppError, StartError } from "../errors.ts";
import { version } from "../version.ts";
import type { Command, CommandInput } from "./command.ts";
import { commands } from "./registry.ts";
import { runCommand } from "./run-command.ts";

// The command line for administrators: `npm run -s messenger -- COMMAND`.

const exitCodes = { success: 0, failed: 1, usage: 2 };

/** Builds the command line of all commands. */
function commandLine(run: (command: Command, input: CommandInput, isJson: boolean) => Promise<void>): CommandLine {
  const root = new CommandLine("messenger")
    .description("Runs and manages the messenger. Settings are environment variables, or lines of the file .env.")
    .version(version, "-V, --version")
    .exitOverride()
    .showHelpAfterError("For help: --help");
  root
    .command("start")
    .description("Starts the server, as `npm start` does.")
    .action(async () => void (await import("../main.ts")));
  const groups = new Map<string, CommandLine>();
  for (const command of commands) {
    const [groupName = "", name] = command.name.split(" ");
    const group = name === undefined ? root : (groups.get(groupName) ?? root.command(groupName).exitOverride());
    if (name !== undefined) groups.set(groupName, group);
    const line = group
      .command(`${name ?? groupName} ${command.arguments ?? ""}`.trim())
      .description(command.summary)
      .exitOverride()
      .option("--json", "prints JSON, for programs");
    for (const { flags, description } of command.options ?? []) line.option(flags, description);
    if (command.confirm) line.option("--yes", "does not ask");
    line.action(async (...given: unknown[]) => {
      const names = line.registeredArguments.map((argument) => argument.name());
      const { json, ...options } = line.opts();
      const { yes, ...input } = {
        ...Object.fromEntries(names.map((argument, index) => [argument, given[index]])),
        ...options,
      } as CommandInput;
      if (yes !== true) await confirm(command, input);
      await run(command, input, json === true);
    });
  }
  return root;
}

/** @throws AppError unless the question of the command, if it has one, is answered with yes */
async function confirm(command: Command, input: CommandInput): Promise<void> {
  const question = command.confirm?.(input);
  if (question === undefined) return;
  if (!process.stdin.isTTY) throw new AppError("validation", `${question} Confirm it with --yes.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new AppError("conflict", "Nothing was changed.");
}

async function main(): Promise<number> {
  let exitCode = exitCodes.success;
  const line = commandLine(async (command, input, isJson) => {
    const { text, data, hasFailed } = await runCommand(command, input);
    process.stdout.write(isJson ? `${JSON.stringify(data)}\n` : text);
    if (hasFailed) exitCode = exitCodes.failed;
  });
  try {
    await line.parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
    const isExpected = error instanceof AppError || error instanceof StartError;
    process.stderr.write(`${isExpected ? error.message : (error as Error).stack}\n`);
    return error instanceof AppError && error.kind === "validation" ? exitCodes.usage : exitCodes.failed;
  }
  return exitCode;
}

void main().then((exitCode) => {
  // The server goes on.
  if (process.argv[2] !== "start" || exitCode !== exitCodes.success) process.exit(exitCode);
});
