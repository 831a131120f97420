import type { Config } from "../config/settings.ts";
import type { Database } from "../db/connect.ts";
import type { Logger } from "../logger.ts";
import type { Administration } from "../services/administration/compose-administration.ts";

/** What a command works with. */
export interface CommandContext {
  config: Config;
  database: Database;
  administration: Administration;
  log: Logger;
  /** Is given the number of violations that a check of all data has found, by the server that runs the command. */
  noteViolations?: (count: number) => void;
  /** In a server: copies the files of its embedded database to a folder that does not exist. */
  copyData?: ((folder: string) => Promise<void>) | undefined;
}

/** What a command has done or found. */
export interface CommandResult {
  /** For people. */
  text: string;
  /** For programs: printed with `--json`. */
  data: unknown;
  /** A check has found something wrong: the exit code is 1. */
  hasFailed?: boolean;
}

/** Arguments and options as given, by name. */
export type CommandInput = Readonly<Record<string, string | boolean | undefined>>;

export interface CommandOption {
  /** As the command line has it, such as `--chat <id>`. */
  flags: string;
  description: string;
}

interface CommandBase {
  /** With the name of its group, such as `users list`. */
  name: string;
  /** Positional arguments, such as `<email>`. */
  arguments?: string;
  summary: string;
  options?: readonly CommandOption[];
  /** The question to ask before the command runs, unless `--yes` is given. */
  confirm?: (input: CommandInput) => string;
}

/** A command that works on the database: it is opened, or the server that has it open runs the command. */
export interface DatabaseCommand extends CommandBase {
  needs: "database";
  run(context: CommandContext, input: CommandInput): Promise<CommandResult>;
}

/** A command that reads its settings itself, if it needs them. */
export interface LocalCommand extends CommandBase {
  needs: "nothing";
  run(input: CommandInput): Promise<CommandResult>;
}

/** A command of the command line. Each has a file of its own. */
export type Command = DatabaseCommand | LocalCommand;

export const defineCommand = <Defined extends Command>(command: Defined): Defined => command;

/** A table of text with columns that are as wide as their widest value. */
export function textTable(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const texts = [head, ...rows].map((row) => row.map((value) => String(value ?? "")));
  const widths = head.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return `${texts.map(line).join("\n")}\n`;
}
