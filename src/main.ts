import { listenForCommands } from "./cli/control-socket.ts";
import { loadSettings, settingsWarnings } from "./config/read-settings.ts";
import type { Config } from "./config/settings.ts";
import { StartError } from "./errors.ts";
import { createLogger, type Logger } from "./logger.ts";
import { Messenger } from "./server.ts";

/** A host for the links in the log: a server that listens on all addresses is reachable as localhost. */
const displayHost = (host: string): string => (host === "0.0.0.0" || host === "::" ? "localhost" : host);

async function main(): Promise<void> {
  const config = loadSettings();
  const warnings = settingsWarnings(config);
  const log = createLogger({ level: config.server.logLevel, readable: config.server.environment !== "production" });
  const messenger = new Messenger(config, log, { listenForCommands });
  stopOnSignal(messenger, config, log);
  exitOnUncaughtException(messenger, config, log);

  const port = await messenger.start().finally(() => {
    for (const warning of warnings) log.warn(warning);
  });
  const address = `${displayHost(config.http.host)}:${port}`;
  if (config.web.enabled) log.info(`Messenger: ${config.web.publicUrl ?? `http://${address}`}`);
  log.info(`Swagger:   http://${address}/api`);
  log.info(`WebSocket: ws://${address}`);
  await printSetupLink(messenger, config);
  const { message } = await messenger.died;
  log.fatal(message);
  process.exit(1);
}

/**
 * Prints the link for the first administrator, on a terminal in development. It is no line of the log: anybody who has it
 * becomes the administrator. If the database fails, the log says so, and there is still the command.
 */
async function printSetupLink(messenger: Messenger, { server }: Config): Promise<void> {
  if (!process.stdout.isTTY || server.environment !== "development") return;
  const link = await messenger.makeSetupLink().catch(() => undefined);
  if (link !== undefined) process.stdout.write(`Create the first administrator within 30 minutes: ${link}\n`);
}

function stopOnSignal(messenger: Messenger, config: Config, log: Logger): void {
  const stop = async (signal: string) => {
    log.info(`${signal}: stopping`);
    forceExitAfterTimeout(config, log);
    await messenger.stop();
    log.info("stopped");
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(signal));
}

/**
 * After an uncaught exception or an unhandled rejection the state of the process is unknown. It logs the error, answers
 * the requests in progress and exits with 1, so that the supervisor starts another process.
 */
function exitOnUncaughtException(messenger: Messenger, config: Config, log: Logger): void {
  let stopping = false;
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "uncaught exception, shutting down");
    if (stopping) return;
    stopping = true;
    forceExitAfterTimeout(config, log);
    void messenger
      .stop()
      .catch((failure: Error) => log.error({ err: failure }, "could not stop in order"))
      .then(() => process.exit(1));
  });
}

function forceExitAfterTimeout({ server: { shutdownTimeoutMs } }: Config, log: Logger): void {
  setTimeout(() => {
    log.error("not stopped in time, exiting");
    process.exit(1);
  }, shutdownTimeoutMs).unref();
}

main().catch((error: Error) => {
  if (error.name === "AbortError") return;
  process.stderr.write(`${error instanceof StartError ? error.message : error.stack}\n`);
  process.exit(1);
});
