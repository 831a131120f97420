import { loadSettings } from "../config/read-settings.ts";
import { openDatabase } from "../db/open.ts";
import { createLogger } from "../logger.ts";
import { offlineAdministration } from "../services/administration/offline-administration.ts";
import { pageLinks } from "../services/page-links.ts";
import { askRunningServer } from "./ask-server.ts";
import type { Command, CommandInput, CommandResult } from "./command.ts";

/**
 * Runs a command: in the running server if that has the embedded database open, in this process otherwise.
 * @throws AppError or StartError with a sentence for the administrator
 */
export async function runCommand(command: Command, input: CommandInput): Promise<CommandResult> {
  if (command.needs === "nothing") return command.run(input);
  const config = loadSettings();
  const log = createLogger({ level: "silent", readable: false });
  const isEmbedded = config.database.url === undefined;
  const answer = isEmbedded
    ? await askRunningServer(config.server.dataDir, { command: command.name, input })
    : undefined;
  if (answer) return answer;
  const { database, close } = await openDatabase({
    databaseUrl: config.database.url,
    dataDir: config.server.dataDir,
    poolSize: 2,
    timeouts: config.database.timeouts,
    startTimeoutMs: config.database.startTimeoutMs,
    log,
    signal: new AbortController().signal,
    mustExist: true,
  });
  const { administration, stop } = offlineAdministration({
    database,
    passwords: config.passwords,
    makeLink: pageLinks(config, config.http.port),
    log,
  });
  try {
    return await command.run({ config, database, administration, log }, input);
  } finally {
    stop();
    await close();
  }
}
