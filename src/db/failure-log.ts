import type { Logger } from "../logger.ts";
import { isOutage } from "./database-errors.ts";

/** Logs the failures of a task that is repeated in the background. */
export interface FailureLog {
  failed(error: unknown): void;
  succeeded(): void;
}

/**
 * Warns at the first failure and says when the task works again. An outage of the database is not logged: `Availability`
 * does that, once for all tasks.
 * @param description what the task does: "<description> failed"
 */
export function failureLog(log: Logger, description: string): FailureLog {
  let isFailing = false;
  return {
    failed(error) {
      if (isFailing || isOutage(error)) return;
      isFailing = true;
      log.warn({ err: error }, `${description} failed; retrying`);
    },
    succeeded() {
      if (isFailing) log.info(`${description} works again`);
      isFailing = false;
    },
  };
}
