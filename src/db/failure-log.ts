import { type FailureLog, type Logger, logFailures } from "../logger.ts";
import { isOutage } from "./database-errors.ts";

/**
 * Logs the failures of a task that is repeated in the background. An outage of the database is not logged: `Availability`
 * does that, once for all tasks.
 * @param description what the task does: "<description> failed"
 */
export const failureLog = (log: Logger, description: string): FailureLog =>
  logFailures(log, {
    warning: `${description} failed; retrying`,
    recovery: `${description} works again`,
    isLogged: (error) => !isOutage(error),
  });
