import { loadSettings } from "./config/read-settings.ts";
import type { Config } from "./config/settings.ts";
import { StartError } from "./errors.ts";
import { createLogger, type Logger } from "./logger.ts";
import { Messenger } from "./server.ts";

/** Where people find it; a server that listens everywhere is shown by its nearest name. */
const shownHost = (host: string): string => (host === "0.0.0.0" || host === "::" ? "localhost" : host);

async function main(): Promise<void> {
  const config = loadSettings();
  const log = createLogger({ level: config.server.logLevel, readable: config.server.environment !== "production" });
  const messenger = new Messenger(config, log);
  stopOnSignal(messenger, config, log);
  endOnUncaught(messenger, config, log);

  const port = await messenger.start();
  const address = `${shownHost(config.http.host)}:${port}`;
  log.info(`Swagger:   http://${address}/api`);
  log.info(`WebSocket: ws://${address}`);
  const { message } = await messenger.died;
  log.fatal(message);
  process.exit(1);
}

function stopOnSignal(messenger: Messenger, config: Config, log: Logger): void {
  const stop = async (signal: string) => {
    log.info(`${signal}: stopping`);
    giveUpInTime(config, log);
    await messenger.stop();
    log.info("stopped");
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop(signal));
}

/**
 * After an error that nobody caught, a rejected promise among them, nobody knows what state the process is in: it says
 * so in one line, answers what it still can, and ends with 1 for whoever watches it to start another.
 */
function endOnUncaught(messenger: Messenger, config: Config, log: Logger): void {
  let ending = false;
  process.on("uncaughtException", (error) => {
    log.fatal({ err: error }, "an error that nobody caught: the process ends");
    if (ending) return;
    ending = true;
    giveUpInTime(config, log);
    void messenger
      .stop()
      .catch(() => {})
      .then(() => process.exit(1));
  });
}

function giveUpInTime({ server: { shutdownTimeoutMs } }: Config, log: Logger): void {
  setTimeout(() => {
    log.error("not stopped in time; giving up what is left");
    process.exit(1);
  }, shutdownTimeoutMs).unref();
}

main().catch((error: Error) => {
  if (error.name === "AbortError") return;
  process.stderr.write(`${error instanceof StartError ? error.message : error.stack}\n`);
  process.exit(1);
});
