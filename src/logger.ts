import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type { Logger };

/** What must never reach a log, wherever it hangs in the logged object. */
const secrets = ["password", "oldPassword", "newPassword", "token", "refreshToken", "authorization", "content"];

/**
 * An error in the log is its name, message, code and place. Not the whole stack, and not the fields that libraries
 * hang on errors: Sequelize's carry the SQL and its values, and with them what people wrote.
 */
function describeError(error: Error): Record<string, unknown> {
  const place = error.stack?.split("\n").find((line) => line.includes("at ") && !line.includes("node_modules"));
  return {
    name: error.name,
    message: error.message,
    ...("code" in error && { code: error.code }),
    ...(place && { place: place.trim() }),
  };
}

/**
 * Makes the log of the process.
 * @param options.level the lowest level written, or "silent"
 * @param options.readable lines for people (development) instead of one JSON object a line
 * @param options.destination where the lines go; standard output unless told
 */
export function createLogger(options: { level: string; readable: boolean; destination?: DestinationStream }): Logger {
  const destination = options.readable
    ? pretty({
        sync: true,
        singleLine: true,
        ignore: "pid,hostname",
        translateTime: "SYS:HH:MM:ss",
        destination: options.destination ?? 1,
      })
    : (options.destination ?? pino.destination(1));
  return pino(
    {
      level: options.level,
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[secret]" },
      serializers: { err: describeError },
    },
    destination,
  );
}
