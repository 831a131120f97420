import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";

export type { Logger };

/** Keys whose values are never logged, in the logged object and two levels below. */
const secretKeys = ["password", "oldPassword", "newPassword", "token", "refreshToken", "authorization", "content"];

/**
 * The log shows name, message, code and origin of an error. Not the whole stack, and not the fields that libraries add:
 * Sequelize's contain the SQL and its values, and with them the content of messages.
 */
function describeError(error: Error): Record<string, unknown> {
  const origin = error.stack?.split("\n").find((line) => line.includes("at ") && !line.includes("node_modules"));
  return {
    name: error.name,
    message: error.message,
    ...("code" in error && { code: error.code }),
    ...(origin && { place: origin.trim() }),
  };
}

/** Logs the failures of something that is done again and again. */
export interface FailureLog {
  failed(error: unknown): void;
  succeeded(): void;
}

/**
 * Warns at the first failure and says when it works again.
 * @param options.isLogged whether an error counts; others are logged elsewhere
 */
export function logFailures(
  log: Logger,
  options: { warning: string; recovery: string; isLogged: (error: unknown) => boolean },
): FailureLog {
  let isFailing = false;
  return {
    failed(error) {
      if (isFailing || !options.isLogged(error)) return;
      isFailing = true;
      log.warn({ err: error }, options.warning);
    },
    succeeded() {
      if (isFailing) log.info(options.recovery);
      isFailing = false;
    },
  };
}

/**
 * Creates the logger of the process. Lines have the time as ISO 8601 (UTC) and the level as a word.
 * @param options.level the least severe level that is written, or "silent"
 * @param options.readable formatted lines (for development) instead of one JSON object per line
 * @param options.destination standard output by default
 */
export function createLogger(options: { level: string; readable: boolean; destination?: DestinationStream }): Logger {
  const destination = options.readable
    ? pretty({
        sync: true,
        singleLine: true,
        ignore: "pid,hostname",
        translateTime: false,
        destination: options.destination ?? 1,
      })
    : (options.destination ?? pino.destination(1));
  return pino(
    {
      level: options.level,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretKeys.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[secret]" },
      serializers: { err: describeError },
    },
    destination,
  );
}
